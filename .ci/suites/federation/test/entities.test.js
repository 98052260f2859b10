// `_entities` as a router asks it: each representation has its own answer, in its place.
import assert from 'node:assert/strict';
import test from 'node:test';
import { ask, asRouter, bearer, send, tokens, url } from '../demo.js';

const query = `query ($r: [_Any!]!) { _entities(representations: $r) {
  __typename ... on Commune { insee slug } ... on Shop { id name } ... on Product { id } ... on Category { id }
} }`;
const entities = (r, headers = asRouter) => send(url, query, { r }, headers);

test('200 representations, right, unknown, malformed and of mixed keys', async () => {
  const { communes, shops } = await ask(url, '{ communes { insee slug } shops(first: 20) { nodes { id name products(first: 2) { nodes { id } } } } }');
  const wanted = [];
  const add = (representation, found) => wanted.push({ representation, found });
  for (let i = 0; wanted.length < 200; i++) {
    const commune = communes[i % 25], shop = shops.nodes[i % 20];
    add({ __typename: 'Commune', insee: commune.insee }, { __typename: 'Commune', insee: commune.insee, slug: commune.slug });
    add({ __typename: 'Commune', slug: commune.slug }, { __typename: 'Commune', insee: commune.insee, slug: commune.slug });
    add({ __typename: 'Shop', id: shop.id }, { __typename: 'Shop', id: shop.id, name: shop.name });
    add({ __typename: 'Commune', insee: '99999' }, null);
    add({ __typename: 'Shop', id: 'shop_56121_00000000000000000000000000' }, null);
    add({ __typename: 'Shop', id: 'nonsense' }, null);
    add({ __typename: 'Product', id: shop.id }, null); // an id of another kind
    if (shop.products.nodes[0]) add({ __typename: 'Product', id: shop.products.nodes[0].id }, { __typename: 'Product', id: shop.products.nodes[0].id });
  }
  wanted.length = 200;
  const { data, errors } = await entities(wanted.map((w) => w.representation));
  assert.equal(data._entities.length, 200);
  wanted.forEach(({ representation, found }, i) => assert.deepEqual(data._entities[i], found, `${i}: ${JSON.stringify(representation)}`));
  for (const { message, extensions } of errors ?? []) {
    assert.ok(['NOT_FOUND', 'INVALID'].includes(extensions?.code), `${extensions?.code}: ${message}`);
  }
});

test('A representation without a type or a key spoils no other', async () => {
  const { data } = await entities([
    { __typename: 'Commune', insee: '56121' }, { __typename: 'Commune' }, { __typename: 'Shop', id: null }, { __typename: 'Commune', slug: 'lorient' },
  ]);
  assert.equal(data._entities[0].slug, 'lorient');
  assert.equal(data._entities[1], null);
  assert.equal(data._entities[2], null);
  assert.equal(data._entities[3].insee, '56121');
});

test('A type that is no entity is refused, and nothing inner shows', async () => {
  const text = JSON.stringify(await entities([{ __typename: 'Nothing', id: '1' }, { id: '1' }]));
  assert.match(text, /"code":"(INVALID|NOT_FOUND)"/);
  assert.doesNotMatch(text, /panic|\.go\b|pgx|SQLSTATE|resolver/i);
});

test('1,000 representations are answered, 1,001 refused', async () => {
  const many = (n) => Array.from({ length: n }, () => ({ __typename: 'Commune', insee: '56121' }));
  const small = 'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Commune { insee } } }';
  const { data } = await send(url, small, { r: many(1000) }, asRouter);
  assert.equal(data._entities.length, 1000);
  const { errors } = await send(url, small, { r: many(1001) }, asRouter);
  assert.equal(errors[0].extensions.code, 'LIMITED');
});

test('Entities have the viewer\'s rights, not the router\'s', async () => {
  const merchant = bearer(tokens.merchant);
  const { viewer } = await ask(url, '{ viewer { shops { orders(first: 1) { nodes { id } } } } }', {}, merchant);
  const { id } = viewer.shops.flatMap((s) => s.orders.nodes)[0];
  const order = 'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Order { number } } }';
  const r = [{ __typename: 'Order', id }];
  assert.equal((await send(url, order, { r }, asRouter)).data._entities[0], null);
  assert.ok((await send(url, order, { r }, { ...asRouter, ...merchant })).data._entities[0].number);
});
