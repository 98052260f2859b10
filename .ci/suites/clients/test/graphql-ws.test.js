// graphql-transport-ws: the protocol message by message, then graphql-ws's own client.
import assert from 'node:assert/strict';
import test from 'node:test';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { advance, basket, bearer, follow, placed, placeOrders, socketURL, story, tokens, whole } from '../demo.js';

// socket is a raw one: send(message) in, message() out, closed() for the code it ends with.
function socket(protocol = 'graphql-transport-ws', headers = {}) {
  const ws = new WebSocket(socketURL, protocol, { headers });
  const got = [];
  let wake = () => {};
  let code;
  ws.on('message', (m) => { got.push(JSON.parse(m)); wake(); });
  ws.on('close', (c) => { code = c; wake(); });
  ws.on('error', () => {});
  const until = async (ready) => {
    while (!ready()) await new Promise((resume) => { wake = resume; });
  };
  return {
    ws,
    open: new Promise((resolve, reject) => { ws.on('open', resolve); ws.on('error', reject); }),
    send: (message) => ws.send(typeof message === 'string' ? message : JSON.stringify(message)),
    message: async () => {
      await until(() => got.length || code !== undefined);
      if (!got.length) throw new Error(`closed with ${code}`);
      return got.shift();
    },
    closed: async () => { await until(() => code !== undefined); return code; },
    end: () => ws.terminate(),
  };
}

async function acknowledged(payload) {
  const s = socket();
  await s.open;
  s.send({ type: 'connection_init', payload });
  assert.equal((await s.message()).type, 'connection_ack');
  return s;
}

const communes = { query: '{ communes { name } }' };

for (const [name, message] of [
  ['TextThatIsNoJSON', 'hello'],
  ['JSONThatIsNoObject', '[1]'],
  ['NoType', { id: '1' }],
  ['UnknownType', { type: 'start' }],
  ['SubscribeWithoutId', { type: 'subscribe', payload: communes }],
  ['SubscribeWithoutPayload', { type: 'subscribe', id: '1' }],
  ['SubscribeWithoutQuery', { type: 'subscribe', id: '1', payload: {} }],
  ['ServersMessage', { type: 'next', id: '1', payload: {} }],
]) {
  test(`4400: ${name}`, async () => {
    const s = await acknowledged();
    s.send(message);
    assert.equal(await s.closed(), 4400);
  });
}

test('4400: BinaryMessage', async () => {
  const s = await acknowledged();
  s.ws.send(Buffer.from([1, 2, 3]), { binary: true });
  assert.equal(await s.closed(), 4400);
});

test('4401: SubscribeBeforeInit', async () => {
  const s = socket();
  await s.open;
  s.send({ type: 'subscribe', id: '1', payload: communes });
  assert.equal(await s.closed(), 4401);
});

test('4403: CredentialDoesNotHold', async () => {
  for (const authorization of ['Bearer nonsense', 'Basic YTpi', `Bearer ${tokens.merchant}x`]) {
    const s = socket();
    await s.open;
    s.send({ type: 'connection_init', payload: { authorization } });
    assert.equal(await s.closed(), 4403, authorization);
  }
});

test('4406: NoSubprotocol', async () => {
  const s = socket([]);
  await s.open;
  assert.equal(await s.closed(), 4406);
});

test('The legacy subprotocol is not accepted', async () => {
  await assert.rejects(socket('graphql-ws').open, /no subprotocol/); // ws closes before it can hear 4406
});

test('4408: NoInitInTime', async () => {
  const s = socket();
  await s.open;
  assert.equal(await s.closed(), 4408);
});

test('4409: IdTaken', async () => {
  const order = await placed();
  const s = await acknowledged(bearer(order.token));
  const payload = { query: follow, variables: { id: order.id } };
  s.send({ type: 'subscribe', id: 'a', payload });
  assert.equal((await s.message()).type, 'next');
  s.send({ type: 'subscribe', id: 'a', payload });
  assert.equal(await s.closed(), 4409);
});

test('IdIsFreeAgainAfterComplete', async () => {
  const order = await placed();
  const s = await acknowledged(bearer(order.token));
  const payload = { query: follow, variables: { id: order.id } };
  for (let i = 0; i < 3; i++) {
    s.send({ type: 'subscribe', id: 'a', payload });
    const { type, id } = await s.message();
    assert.deepEqual({ type, id }, { type: 'next', id: 'a' });
    s.send({ type: 'complete', id: 'a' });
  }
  s.send({ type: 'subscribe', id: 'b', payload: communes });
  assert.deepEqual([(await s.message()).type, (await s.message()).type], ['next', 'complete']);
  s.end();
});

test('4429: InitTwice', async () => {
  const s = await acknowledged();
  s.send({ type: 'connection_init' });
  assert.equal(await s.closed(), 4429);
});

test('PingIsAnswered', async () => {
  const s = socket();
  await s.open;
  s.send({ type: 'ping', payload: { n: 1 } }); // before the acknowledgement too
  assert.equal((await s.message()).type, 'pong');
  s.send({ type: 'connection_init' });
  assert.equal((await s.message()).type, 'connection_ack');
  s.send({ type: 'ping' });
  assert.equal((await s.message()).type, 'pong');
  s.send({ type: 'pong' }); // unasked for, and allowed
  s.send({ type: 'subscribe', id: '1', payload: communes });
  assert.equal((await s.message()).type, 'next');
  s.end();
});

test('QueryCompletes', async () => {
  const s = await acknowledged();
  s.send({ type: 'subscribe', id: 'q', payload: communes });
  const next = await s.message();
  assert.equal(next.payload.data.communes.length, 25);
  assert.deepEqual(await s.message(), { type: 'complete', id: 'q' });
  s.end();
});

test('ErrorEndsTheOperationAndNotTheSocket', async () => {
  const s = await acknowledged();
  s.send({ type: 'subscribe', id: 'bad', payload: { query: '{ nothingOfTheKind }' } });
  const { type, id, payload } = await s.message();
  assert.equal(type, 'error');
  assert.equal(id, 'bad');
  assert.ok(Array.isArray(payload) && payload[0].message);
  s.send({ type: 'subscribe', id: 'bad', payload: communes }); // and no complete came after the error
  assert.equal((await s.message()).type, 'next');
  s.end();
});

test('CompleteOfAnUnknownIdIsIgnored', async () => {
  const s = await acknowledged();
  s.send({ type: 'complete', id: 'never' });
  s.send({ type: 'subscribe', id: '1', payload: communes });
  assert.equal((await s.message()).type, 'next');
  s.end();
});

test('NothingComesAfterComplete', async () => {
  const order = await placed();
  const s = await acknowledged(bearer(order.token));
  s.send({ type: 'subscribe', id: 'a', payload: { query: follow, variables: { id: order.id } } });
  await s.message();
  s.send({ type: 'complete', id: 'a' });
  await advance('acceptOrder', order.id);
  s.send({ type: 'subscribe', id: 'b', payload: communes });
  assert.equal((await s.message()).id, 'b');
  s.end();
});

const client = (token, more) => createClient({
  url: socketURL, webSocketImpl: WebSocket, connectionParams: bearer(token), retryAttempts: 0, ...more,
});

test('Client: query, mutation, many at once', async () => {
  const c = client();
  const one = async (payload) => {
    for await (const result of c.iterate(payload)) return result;
  };
  const [a, b, m] = await Promise.all([
    one(communes), one({ query: '{ viewer { kind } }' }), one({ query: placeOrders, variables: { input: await basket() } }),
  ]);
  assert.equal(a.data.communes.length, 25);
  assert.equal(b.data.viewer.kind, 'VISITOR');
  assert.ok(m.data.placeOrders.results[0].order.id);
  await c.dispose();
});

test('Client: follows an order to its end', async () => {
  let c;
  const kinds = await story(async function* ({ id, token }) {
    c = client(token);
    for await (const { data } of c.iterate({ query: follow, variables: { id } })) yield data.orderUpdated;
  });
  assert.equal(kinds, whole);
  await c.dispose();
});

test('Client: loses its socket at every step and misses nothing', async () => {
  const order = await placed();
  let after;
  const kinds = [];
  for (const step of ['acceptOrder', 'markOrderReady', 'markOrderCollected', null]) {
    const c = client(order.token);
    for await (const { data } of c.iterate({ query: follow, variables: { id: order.id, after } })) {
      kinds.push(data.orderUpdated.kind);
      after = data.orderUpdated.cursor;
      break;
    }
    c.terminate();
    if (step) await advance(step, order.id); // while nobody listens
  }
  assert.equal(kinds.join(' '), whole);
});

test('Client: a wrong token is fatal and says so', async () => {
  let closed;
  const c = client('nonsense', { on: { closed: (event) => { closed = event.code; } } });
  await assert.rejects(async () => {
    for await (const _ of c.iterate(communes)) assert.fail('answered');
  });
  assert.equal(closed, 4403);
});

test('Client: answers pings and stays', async () => {
  let pings = 0;
  const c = client(null, { lazy: false, on: { ping: (received) => { if (received) pings++; } } });
  await new Promise((resume) => setTimeout(resume, 13_000)); // the server's heartbeat is 12 s
  for await (const { data } of c.iterate(communes)) assert.equal(data.communes.length, 25);
  assert.ok(pings >= 1, 'the server sent no ping');
  await c.dispose();
});

test('What a stranger may not follow is NOT_FOUND', async () => {
  const order = await placed();
  const c = client();
  const errors = [];
  try {
    for await (const result of c.iterate({ query: follow, variables: { id: order.id } })) errors.push(...(result.errors ?? []));
  } catch (refused) {
    errors.push(...refused);
  }
  assert.deepEqual(errors.map((e) => e.extensions.code), ['NOT_FOUND']);
  await c.dispose();
});
