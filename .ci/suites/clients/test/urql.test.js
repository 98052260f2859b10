// urql: HTTP, and subscriptions over graphql-ws, graphql-sse and its own event streams.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Client, cacheExchange, fetchExchange, gql, subscriptionExchange } from '@urql/core';
import { createClient as createSSE } from 'graphql-sse';
import { createClient as createWS } from 'graphql-ws';
import WebSocket from 'ws';
import { basket, bearer, follow, iterate, placeOrders, socketURL, story, url, whole } from '../demo.js';

const client = (exchange, token, more) => new Client({
  url, exchanges: [cacheExchange, ...(exchange ? [exchange] : []), fetchExchange], fetchOptions: { headers: bearer(token) }, ...more,
});

const subscribe = (c, { id }) => iterate((sink) => {
  const { unsubscribe } = c.subscription(gql(follow), { id }).subscribe(({ data, error }) => {
    if (error) sink.error(error); else sink.next(data.orderUpdated);
  });
  return unsubscribe;
});

test('query by GET and by POST', async () => {
  for (const preferGetMethod of [true, false]) {
    const { data, error } = await client(null, null, { preferGetMethod }).query(gql`{ communes { id name } }`, {}).toPromise();
    assert.equal(error, undefined);
    assert.equal(data.communes.length, 25);
  }
});

test('mutation: an order', async () => {
  const { data, error } = await client().mutation(gql(placeOrders), { input: await basket() }).toPromise();
  assert.equal(error, undefined);
  assert.ok(data.placeOrders.results[0].order.id);
});

test('an error has its code', async () => {
  const { error } = await client().query(gql`{ commune(slug: "atlantis") { name } }`, {}).toPromise();
  assert.equal(error.graphQLErrors[0].extensions.code, 'NOT_FOUND');
});

test('subscription over a socket', async () => {
  let ws;
  const kinds = await story((order) => {
    ws = createWS({ url: socketURL, webSocketImpl: WebSocket, connectionParams: bearer(order.token) });
    return subscribe(client(subscriptionExchange({
      forwardSubscription: ({ query, variables }) => ({
        subscribe: (sink) => ({ unsubscribe: ws.subscribe({ query, variables }, sink) }),
      }),
    })), order);
  });
  assert.equal(kinds, whole);
  await ws.dispose();
});

test('subscription over graphql-sse', async () => {
  const kinds = await story((order) => {
    const sse = createSSE({ url, headers: bearer(order.token) });
    return subscribe(client(subscriptionExchange({
      forwardSubscription: ({ query, variables }) => ({
        subscribe: (sink) => ({ unsubscribe: sse.subscribe({ query, variables }, sink) }),
      }),
    })), order);
  });
  assert.equal(kinds, whole);
});

test('subscription by fetch alone', async () => {
  assert.equal(await story((order) => subscribe(client(null, order.token, { fetchSubscriptions: true }), order)), whole);
});
