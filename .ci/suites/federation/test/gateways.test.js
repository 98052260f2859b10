// A query across both subgraphs, and an order followed, through the gateways.
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { createClient } from 'graphql-sse';
import * as agenda from '../agenda.js';
import { ask, bearer, send, tokens, url } from '../demo.js';
import * as gateways from '../gateways.js';
import { supergraph } from '../supergraph.js';

let shops, service, running;
const viaURL = (name) => running[name].url;

before(async () => {
  shops = (await ask(url, '{ shops(first: 100) { nodes { id name commune { insee } } } }')).shops.nodes;
  service = await agenda.listen(shops.map((s) => s.id));
  const { supergraphSdl } = await supergraph(service.url);
  running = {
    '@apollo/gateway': await gateways.apollo(supergraphSdl),
    'Hive Gateway': await gateways.hive(supergraphSdl),
    'Hive Gateway over ws': await gateways.hive(supergraphSdl, 'ws'),
  };
});
after(async () => {
  await Promise.all(Object.values(running).map((g) => g.close()));
  service.close();
});

for (const name of ['@apollo/gateway', 'Hive Gateway']) {
  test(`${name}: from halles to the commune's own, and back`, async () => {
    const data = await ask(viaURL(name), `{
      commune(slug: "lorient") { name parkingPlaces happenings { title host { name } } shops(first: 3) { nodes { name parkingMetres commune { name parkingPlaces } } } }
      happenings { title commune { name population } host { name commune { slug } } }
    }`);
    assert.equal(data.commune.name, 'Lorient');
    assert.equal(data.commune.parkingPlaces, 121);
    assert.equal(data.commune.happenings[0].host.name, shops[0].name);
    assert.ok(data.commune.shops.nodes.every((s) => s.parkingMetres > 0 && s.commune.parkingPlaces === 121));
    assert.deepEqual(data.happenings.map((h) => h.commune.name), ['Lorient', 'Ploemeur']);
    assert.ok(data.happenings[0].commune.population > 50_000);
    assert.equal(data.happenings[1].host, null);
  });

  test(`${name}: 100 shops with a field of each subgraph, in order`, async () => {
    const { shops: page } = await ask(viaURL(name), '{ shops(first: 100) { nodes { id name parkingMetres commune { insee name } } } }');
    assert.deepEqual(page.nodes.map((s) => s.id), shops.map((s) => s.id));
    assert.ok(page.nodes.every((s) => s.parkingMetres === 10 * s.id.length && s.commune.name));
  });

  test(`${name}: the viewer's own token decides`, async () => {
    const kind = async (headers) => (await ask(viaURL(name), '{ viewer { kind } }', {}, headers)).viewer.kind;
    assert.equal(await kind(), 'VISITOR');
    assert.equal(await kind(bearer(tokens.merchant)), 'MERCHANT');
    const { errors } = await send(viaURL(name), '{ viewer { kind } }', {}, bearer('nonsense'));
    assert.ok(errors?.length);
  });

  test(`${name}: an error keeps its code and spoils nothing beside it`, async () => {
    const { data, errors } = await send(viaURL(name), '{ commune(slug: "atlantis") { name parkingPlaces } communes { insee } }');
    assert.equal(data.commune, null);
    assert.equal(data.communes.length, 25);
    assert.equal(errors[0].extensions.code, 'NOT_FOUND');
  });

  test(`${name}: standard introspection`, async () => {
    const { getIntrospectionQuery, buildClientSchema } = await import('graphql');
    const schema = buildClientSchema(await ask(viaURL(name), getIntrospectionQuery()));
    assert.ok(schema.getType('Happening') && schema.getType('Shop').getFields().parkingMetres);
  });
}

for (const name of ['Hive Gateway', 'Hive Gateway over ws']) {
  test(`${name}: an order followed, a field of another subgraph in every event`, async () => {
    const { viewer } = await ask(url, '{ viewer { shops { id products(first: 20) { nodes { variants { id availability { orderable } } } } } } }', {}, bearer(tokens.merchant));
    const shop = viewer.shops.find((s) => s.products.nodes.some((p) => p.variants.some((v) => v.availability.orderable)));
    const variant = shop.products.nodes.flatMap((p) => p.variants).find((v) => v.availability.orderable).id;
    const { placeOrders: { guestSecret, results } } = await ask(viaURL(name), `mutation ($input: PlaceOrdersInput!) {
      placeOrders(input: $input) { guestSecret results { order { id } refusals { code } } } }`, {
      input: {
        idempotencyKey: crypto.randomUUID(), contact: { name: 'Anna', phone: '0639981234' },
        orders: [{ shop: shop.id, mode: 'PICKUP', lines: [{ variant, quantity: 1 }] }],
      },
    });
    const id = results[0].order.id;
    const { exchangeGuestLink: { token } } = await ask(viaURL(name), 'mutation ($s: String!) { exchangeGuestLink(input: { secret: $s }) { token } }', { s: guestSecret });
    const client = createClient({ url: viaURL(name), headers: bearer(token), retryAttempts: 0 });
    const steps = { PLACED: 'acceptOrder', ACCEPTED: 'markOrderReady', READY: 'markOrderCollected' };
    const kinds = [];
    for await (const { data, errors } of client.iterate({
      query: 'subscription ($id: ID!) { orderUpdated(id: $id) { kind order { shop { name parkingMetres } } } }', variables: { id },
    })) {
      assert.equal(errors, undefined, JSON.stringify(errors));
      const { kind, order } = data.orderUpdated;
      assert.equal(order.shop.parkingMetres, 10 * shop.id.length);
      kinds.push(kind);
      if (!steps[kind]) break;
      await ask(url, `mutation ($id: ID!) { ${steps[kind]}(input: { order: $id }) { refusals { code } } }`, { id }, bearer(tokens.merchant));
    }
    client.dispose();
    assert.deepEqual(kinds, ['PLACED', 'ACCEPTED', 'READY', 'COLLECTED']);
  });
}
