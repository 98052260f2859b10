// The running demo, as the tests use it: who may ask, and an order to follow.
import { readFileSync } from 'node:fs';

const demo = JSON.parse(readFileSync(process.env.HALLES_DEMO));
export const url = process.env.HALLES_GRAPHQL;
export const socketURL = url.replace(/^http/, 'ws');
export const tokens = demo.tokens;
export const bearer = (token) => (token ? { authorization: `Bearer ${token}` } : {});

// ask sends one operation and answers its data; an error is thrown.
export async function ask(query, variables, token) {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...bearer(token) },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await answer.json();
  if (errors) throw new Error(`${query}: ${JSON.stringify(errors)}`);
  return data;
}

// basket is one piece of a product of the demo's merchant that can be ordered.
export async function basket() {
  const { viewer } = await ask(
    `{ viewer { shops { id products(first: 20) { nodes { variants { id availability { orderable } } } } } } }`,
    {}, tokens.merchant);
  for (const shop of viewer.shops) {
    const variant = shop.products.nodes.flatMap((p) => p.variants).find((v) => v.availability.orderable);
    if (variant) {
      return {
        idempotencyKey: crypto.randomUUID(),
        contact: { name: 'Anna', phone: '06 39 98 12 34' },
        orders: [{ shop: shop.id, mode: 'PICKUP', lines: [{ variant: variant.id, quantity: 1 }] }],
      };
    }
  }
  throw new Error('the merchant sells nothing');
}

export const placeOrders = `mutation Place($input: PlaceOrdersInput!) {
  placeOrders(input: $input) { guestSecret results { order { id } refusals { code message } } }
}`;

// placed orders as a visitor: the order's id, and the token of a guest who follows it.
export async function placed() {
  const { placeOrders: { guestSecret, results } } = await ask(placeOrders, { input: await basket() });
  if (!results[0].order) throw new Error(`refused: ${JSON.stringify(results)}`);
  const { exchangeGuestLink: { token } } = await ask(
    `mutation ($secret: String!) { exchangeGuestLink(input: { secret: $secret }) { token } }`, { secret: guestSecret });
  return { id: results[0].order.id, token };
}

// advance has the merchant take a step: acceptOrder, markOrderReady, markOrderCollected.
export async function advance(step, id) {
  const data = await ask(`mutation ($id: ID!) { ${step}(input: { order: $id }) { refusals { code message } } }`, { id }, tokens.merchant);
  if (data[step].refusals.length) throw new Error(`${step}: ${JSON.stringify(data[step].refusals)}`);
}

export const follow = `subscription Follow($id: ID!, $after: String) {
  orderUpdated(id: $id, after: $after) { kind status cursor order { id number } }
}`;

// story places an order, follows it with subscribe(order) (an async iterable of events) and
// takes each step once the one before was seen. It answers the kinds in the order they came.
export async function story(subscribe) {
  const order = await placed();
  const steps = { PLACED: 'acceptOrder', ACCEPTED: 'markOrderReady', READY: 'markOrderCollected' };
  const kinds = [];
  for await (const { kind } of subscribe(order)) {
    kinds.push(kind);
    if (!steps[kind]) break;
    await advance(steps[kind], order.id);
  }
  return kinds.join(' ');
}
export const whole = 'PLACED ACCEPTED READY COLLECTED';

// iterate makes an async iterable of anything that subscribes with a sink and answers how to stop.
export async function* iterate(subscribe) {
  const queue = [];
  let wake = () => {};
  const put = (item) => { queue.push(item); wake(); };
  const stop = subscribe({
    next: (value) => put({ value }),
    error: (error) => put({ error }),
    complete: () => put({ done: true }),
  });
  try {
    for (;;) {
      while (!queue.length) await new Promise((resume) => { wake = resume; });
      const { value, error, done } = queue.shift();
      if (error) throw error;
      if (done) return;
      yield value;
    }
  } finally {
    stop();
  }
}
