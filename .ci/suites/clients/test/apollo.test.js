// Apollo Client 4: HTTP for queries and mutations; subscriptions over a socket and over multipart HTTP.
import assert from 'node:assert/strict';
import test from 'node:test';
import { ApolloClient, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { CombinedGraphQLErrors } from '@apollo/client/errors';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { createHash } from 'node:crypto';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { basket, bearer, follow, iterate, placeOrders, socketURL, story, url, whole } from '../demo.js';

const client = (link) => new ApolloClient({ link, cache: new InMemoryCache(), devtools: { enabled: false } });
const http = (token) => new HttpLink({ uri: url, headers: bearer(token) });

const subscribe = (c, { id }) => iterate((sink) => {
  const subscription = c.subscribe({ query: gql(follow), variables: { id } }).subscribe({
    next: ({ data, error }) => (error ? sink.error(error) : sink.next(data.orderUpdated)),
    error: sink.error, complete: sink.complete,
  });
  return () => subscription.unsubscribe();
});

test('query: pages of a list, from the cache the second time', async () => {
  const c = client(http());
  const query = gql`query Shops($after: String) { shops(first: 5, after: $after) { edges { cursor node { id name } } pageInfo { hasNextPage endCursor } } }`;
  const first = await c.query({ query });
  assert.equal(first.data.shops.edges.length, 5);
  const second = await c.query({ query, variables: { after: first.data.shops.pageInfo.endCursor } });
  assert.notEqual(second.data.shops.edges[0].node.id, first.data.shops.edges[0].node.id);
  const again = await c.query({ query, fetchPolicy: 'cache-only' });
  assert.deepEqual(again.data.shops.edges, first.data.shops.edges);
});

test('mutation: an order', async () => {
  const { data } = await client(http()).mutate({ mutation: gql(placeOrders), variables: { input: await basket() } });
  assert.ok(data.placeOrders.results[0].order.id);
});

test('an error has its code', async () => {
  await assert.rejects(client(http()).query({ query: gql`{ commune(slug: "atlantis") { name } }` }), (error) => {
    assert.ok(CombinedGraphQLErrors.is(error));
    assert.equal(error.errors[0].extensions.code, 'NOT_FOUND');
    return true;
  });
});

test('automatic persisted queries, by GET', async () => {
  const link = new PersistedQueryLink({
    sha256: (text) => createHash('sha256').update(text).digest('hex'), useGETForHashedQueries: true,
  }).concat(http());
  for (let i = 0; i < 2; i++) {
    const { data } = await client(link).query({ query: gql`query Persisted { communes { name slug } }` });
    assert.equal(data.communes.length, 25);
  }
});

test('subscription over a socket', async () => {
  let ws;
  const kinds = await story((order) => {
    ws = createClient({ url: socketURL, webSocketImpl: WebSocket, connectionParams: bearer(order.token) });
    return subscribe(client(new GraphQLWsLink(ws)), order);
  });
  assert.equal(kinds, whole);
  await ws.dispose();
});
test('subscription over multipart HTTP', async () => {
  assert.equal(await story((order) => subscribe(client(http(order.token)), order)), whole);
});
