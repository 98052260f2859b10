// Relay: artifacts of relay-compiler, run by relay-runtime: a connection page by page, a refetch
// by node, a mutation, a subscription whose events update the store.
import assert from 'node:assert/strict';
import test from 'node:test';
import relay from 'relay-runtime';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { basket, bearer, iterate, socketURL, story, url, whole } from '../demo.js';
import ShopsQuery from '../relay/__generated__/operationsShopsQuery.graphql.js';
import ShopsPageQuery from '../relay/__generated__/operationsShopsPageQuery.graphql.js';
import ShopRefetchQuery from '../relay/__generated__/operationsShopRefetchQuery.graphql.js';
import ShopsFragment from '../relay/__generated__/operations_shops.graphql.js';
import PlaceMutation from '../relay/__generated__/operationsPlaceMutation.graphql.js';
import FollowSubscription from '../relay/__generated__/operationsFollowSubscription.graphql.js';

const { Environment, Network, Observable, RecordSource, Store, commitMutation, fetchQuery, getSingularSelector, createOperationDescriptor, requestSubscription } = relay;

function environment(token) {
  const ws = createClient({ url: socketURL, webSocketImpl: WebSocket, connectionParams: bearer(token) });
  const network = Network.create(
    async ({ text: query }, variables) => (await fetch(url, {
      method: 'POST', headers: { 'content-type': 'application/json', ...bearer(token) }, body: JSON.stringify({ query, variables }),
    })).json(),
    ({ text: query }, variables) => Observable.create((sink) => ws.subscribe({ query, variables }, sink)),
  );
  return { env: new Environment({ network, store: new Store(new RecordSource()) }), ws };
}

// shops is what the fragment reads from the store after a query.
function shops(env, query, variables = {}) {
  const root = env.lookup(createOperationDescriptor(query, variables).fragment).data;
  return env.lookup(getSingularSelector(ShopsFragment, root)).data.shops;
}

test('a connection, page by page, and a shop again by its node', async () => {
  const { env, ws } = environment();
  await fetchQuery(env, ShopsQuery, {}).toPromise();
  const page = shops(env, ShopsQuery);
  assert.equal(page.edges.length, 5);
  assert.ok(page.pageInfo.hasNextPage);
  await fetchQuery(env, ShopsPageQuery, { count: 5, cursor: page.pageInfo.endCursor }).toPromise();
  const grown = shops(env, ShopsQuery);
  assert.equal(new Set(grown.edges.map((e) => e.node.id)).size, 10);
  const id = page.edges[0].node.id;
  const again = await fetchQuery(env, ShopRefetchQuery, { id }).toPromise();
  assert.ok(again.node);
  await ws.dispose();
});

test('a mutation', async () => {
  const { env, ws } = environment();
  const input = await basket();
  const answer = await new Promise((onCompleted, onError) => commitMutation(env, { mutation: PlaceMutation, variables: { input }, onCompleted, onError }));
  assert.equal(answer.placeOrders.results[0].order.status, 'PLACED');
  await ws.dispose();
});

test('a subscription keeps the store up to date', async () => {
  let ws, env, id;
  const kinds = await story((order) => {
    ({ env, ws } = environment(order.token));
    id = order.id;
    return iterate((sink) => {
      const { dispose } = requestSubscription(env, {
        subscription: FollowSubscription, variables: { id },
        onNext: (data) => sink.next(data.orderUpdated), onError: sink.error, onCompleted: sink.complete,
      });
      return dispose;
    });
  });
  assert.equal(kinds, whole);
  assert.equal(env.getStore().getSource().get(id).status, 'COLLECTED');
  await ws.dispose();
});
