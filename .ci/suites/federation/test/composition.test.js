// The schema composes, alone and with a commune's subgraph, by Apollo's rules and WunderGraph's.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import test from 'node:test';
import { composeServices } from '@apollo/composition';
import { ROUTER_COMPATIBILITY_VERSION_ONE, federateSubgraphs } from '@wundergraph/composition';
import { parse } from 'graphql';
import { send, sdl, url } from '../demo.js';
import { services } from '../supergraph.js';

const both = () => services('http://agenda.invalid/graphql');

test('Apollo: composes without an error, and with no hint', async () => {
  for (const list of [[(await both())[0]], await both()]) {
    const { errors, hints } = composeServices(list);
    assert.deepEqual((errors ?? []).map((e) => e.message), []);
    assert.deepEqual(hints.map((h) => h.toString()), []);
  }
});

test('WunderGraph: composes without an error, and with no warning', async () => {
  for (const subgraphs of [(await both()).slice(0, 1), await both()]) {
    const result = federateSubgraphs({
      subgraphs: subgraphs.map(({ name, url, typeDefs }) => ({ name, url, definitions: typeDefs })),
      version: ROUTER_COMPATIBILITY_VERSION_ONE,
    });
    assert.deepEqual((result.errors ?? []).map((e) => e.message), []);
    assert.equal(result.success, true);
    assert.deepEqual(result.warnings.map((w) => w.message), []);
  }
});

test('The program prints what it serves', { skip: !process.env.HALLES_PROGRAM && 'HALLES_PROGRAM is not set' }, async () => {
  assert.equal(execFileSync(process.env.HALLES_PROGRAM, ['schema'], { encoding: 'utf8' }).trim(), (await sdl()).trim());
});

for (const contract of ['widget', 'spa', 'staff']) {
  test(`The contract ${contract} composes alone`, { skip: !process.env.HALLES_PROGRAM && 'HALLES_PROGRAM is not set' }, () => {
    const text = execFileSync(process.env.HALLES_PROGRAM, ['schema', '--contract', contract], { encoding: 'utf8' });
    const { errors } = composeServices([{ name: 'halles', url, typeDefs: parse(text) }]);
    assert.deepEqual((errors ?? []).map((e) => e.message), []);
  });
}

test('Without the router\'s credential the federation\'s fields are refused, however they are asked', async () => {
  for (const query of [
    '{ _service { sdl } }',
    '{ s: _service { sdl } }',
    '{ ...F } fragment F on Query { hidden: _service { sdl } }',
    '{ ... on Query { _service { sdl } } }',
    'query ($r: [_Any!]!) { _entities(representations: $r) { __typename } }',
    'query ($r: [_Any!]!) { x: _entities(representations: $r) { __typename } }',
    'query ($r: [_Any!]!) { ...F } fragment F on Query { y: _entities(representations: $r) { __typename } }',
  ]) {
    const r = [{ __typename: 'Commune', insee: '56121' }];
    const { data, errors } = await send(url, query, query.includes('$r') ? { r } : {});
    assert.deepEqual(errors?.map((e) => e.extensions.code), ['FORBIDDEN'], query);
    assert.ok(data === null || data === undefined || Object.values(data).every((v) => v === null), query);
    for (const token of ['wrong', '']) {
      const again = await send(url, query, { r }, { 'x-halles-router': token });
      assert.equal(again.errors?.[0].extensions.code, 'FORBIDDEN', query);
    }
  }
});
