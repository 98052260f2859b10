// The service of agenda.graphql, as small as one can be. A real one has a database.
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { parse } from 'graphql';
import { createYoga } from 'graphql-yoga';

export const typeDefs = readFileSync(new URL('agenda.graphql', import.meta.url), 'utf8');

// listen serves the subgraph; shops are ids of halles' shops, which this service only refers to.
export function listen(shops) {
  const happenings = [
    { id: 'marche', title: 'Marché de Noël', commune: { insee: '56121' }, host: { id: shops[0] } },
    { id: 'fest-noz', title: 'Fest-noz', commune: { insee: '56162' }, host: null },
  ];
  const schema = buildSubgraphSchema({
    typeDefs: parse(typeDefs),
    resolvers: {
      Query: { happenings: () => happenings },
      Happening: { __resolveReference: ({ id }) => happenings.find((h) => h.id === id) },
      Commune: {
        __resolveReference: (commune) => commune,
        happenings: ({ insee }) => happenings.filter((h) => h.commune.insee === insee),
        parkingPlaces: ({ insee }) => Number(insee) % 1000,
      },
      Shop: {
        __resolveReference: (shop) => shop,
        parkingMetres: ({ id }) => 10 * id.length,
      },
    },
  });
  const yoga = createYoga({ schema, logging: false, graphiql: false });
  return new Promise((resolve) => {
    const server = createServer(yoga).listen(0, '127.0.0.1', () => resolve({
      url: `http://127.0.0.1:${server.address().port}/graphql`, close: () => server.close(),
    }));
  });
}
