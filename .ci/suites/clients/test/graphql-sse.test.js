// graphql-sse, distinct connections: the stream byte by byte, its own client, a browser's EventSource.
import assert from 'node:assert/strict';
import test from 'node:test';
import { EventSource } from 'eventsource';
import { createClient } from 'graphql-sse';
import { advance, basket, bearer, follow, iterate, placed, placeOrders, story, url, whole } from '../demo.js';

const accept = 'text/event-stream';

function post(body, token, headers = {}) {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept, ...bearer(token), ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  });
}

// events reads a stream: {event, data} each, {comment} for a line that is one.
async function* events(response) {
  let text = '';
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let end; (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2)) {
      const fields = {};
      for (const line of text.slice(0, end).split('\n')) {
        if (line.startsWith(':')) fields.comment = line;
        else if (line) fields[line.slice(0, line.indexOf(':'))] = line.slice(line.indexOf(':') + 1).trim();
      }
      yield fields;
    }
  }
}

async function kindsOf(response) {
  const seen = [];
  for await (const e of events(response)) if (e.event) seen.push(e);
  return seen;
}

test('HeadersLetNothingHoldTheStreamBack', async () => {
  const order = await placed();
  const response = await post({ query: follow, variables: { id: order.id } }, order.token);
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type'), /^text\/event-stream(;|$)/);
  assert.match(response.headers.get('cache-control'), /no-(cache|store)/);
  assert.equal(response.headers.get('x-accel-buffering'), 'no');
  assert.equal(response.headers.get('content-encoding'), null);
  await response.body.cancel();
});

test('QueryIsOneNextAndComplete', async () => {
  const seen = await kindsOf(await post({ query: '{ communes { name } }' }));
  assert.deepEqual(seen.map((e) => e.event), ['next', 'complete']);
  assert.equal(JSON.parse(seen[0].data).data.communes.length, 25);
  assert.ok('data' in seen[1], 'complete has no data: a browser would not see it');
});

test('GetIsForQueriesAndSubscriptions', async () => {
  const get = (query) => fetch(`${url}?${new URLSearchParams({ query })}`, { headers: { accept } });
  const seen = await kindsOf(await get('{ communes { name } }'));
  assert.deepEqual(seen.map((e) => e.event), ['next', 'complete']);
  const refused = await get('mutation { exchangeGuestLink(input: {secret: "x"}) { token } }');
  assert.equal(refused.status, 405);
  assert.match(refused.headers.get('allow'), /POST/);
});

test('RefusedBeforeTheStreamBegins', async () => {
  const status = async (body, headers) => (await post(body, null, headers)).status;
  assert.equal(await status('{'), 400);
  assert.equal(await status({}), 400);
  assert.equal(await status('{"query":"{__typename}"}', { 'content-type': 'text/plain' }), 415);
  assert.equal((await post({ query: '{ communes { name } }' }, 'nonsense')).status, 401);
});

test('InvalidDocumentIsAnError', async () => {
  const response = await post({ query: '{ nothingOfTheKind }' });
  const text = await response.text();
  assert.match(text, /errors/);
  assert.ok(response.status === 400 || /event: ?complete/.test(text));
});

test('KeepAliveComesEveryTwelveSeconds', async () => {
  const order = await placed();
  const response = await post({ query: follow, variables: { id: order.id } }, order.token);
  const began = Date.now();
  let comments = 0;
  for await (const e of events(response)) {
    if (e.comment && Date.now() - began > 5_000) comments++;
    if (comments) break;
  }
  assert.ok(comments, 'the stream ended without a sign of life');
  assert.ok(Date.now() - began < 16_000);
});

const client = (token) => createClient({ url, headers: bearer(token), retryAttempts: 0 });

test('Client: query and mutation', async () => {
  const c = client();
  const one = (request) => new Promise((resolve, reject) => {
    let result;
    c.subscribe(request, { next: (r) => { result = r; }, error: reject, complete: () => resolve(result) });
  });
  assert.equal((await one({ query: '{ communes { name } }' })).data.communes.length, 25);
  const m = await one({ query: placeOrders, variables: { input: await basket() } });
  assert.ok(m.data.placeOrders.results[0].order.id);
  c.dispose();
});

test('Client: follows an order to its end', async () => {
  let c;
  const kinds = await story(async function* ({ id, token }) {
    c = client(token);
    for await (const { data } of c.iterate({ query: follow, variables: { id } })) yield data.orderUpdated;
  });
  assert.equal(kinds, whole);
  c.dispose();
});

test('Client: cut at every step, it resumes and misses nothing', async () => {
  const order = await placed();
  const kinds = [];
  let after;
  for (const step of ['acceptOrder', 'markOrderReady', 'markOrderCollected', null]) {
    const c = client(order.token);
    for await (const { data } of c.iterate({ query: follow, variables: { id: order.id, after } })) {
      kinds.push(data.orderUpdated.kind);
      after = data.orderUpdated.cursor;
      break;
    }
    c.dispose();
    if (step) await advance(step, order.id);
  }
  assert.equal(kinds.join(' '), whole);
});

test('Client: a wrong token is an error', async () => {
  const c = client('nonsense');
  await assert.rejects(async () => {
    for await (const _ of c.iterate({ query: '{ communes { name } }' })) assert.fail('answered');
  });
  c.dispose();
});

test('EventSource: what a browser has reads a subscription', async () => {
  const kinds = await story(({ id, token }) => iterate((sink) => {
    const source = new EventSource(`${url}?${new URLSearchParams({ query: follow, variables: JSON.stringify({ id }) })}`, {
      fetch: (input, init) => fetch(input, { ...init, headers: { ...init.headers, ...bearer(token) } }),
    });
    source.addEventListener('next', (e) => sink.next(JSON.parse(e.data).data.orderUpdated));
    source.addEventListener('complete', () => { source.close(); sink.complete(); });
    source.addEventListener('error', (e) => sink.error(new Error(e.message ?? 'cut')));
    return () => source.close();
  }));
  assert.equal(kinds, whole);
});
