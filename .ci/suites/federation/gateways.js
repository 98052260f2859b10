// Two gateways in front of both subgraphs. The router's credential goes to halles only, the
// viewer's own token to every subgraph.
import { createServer } from 'node:http';
import { ApolloGateway, RemoteGraphQLDataSource } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { createGatewayRuntime } from '@graphql-hive/gateway-runtime';
import http from '@graphql-mesh/transport-http';
import ws from '@graphql-mesh/transport-ws';
import { asRouter } from './demo.js';

const viewers = (headers) => (headers.get('authorization') ? { authorization: headers.get('authorization') } : {});

// apollo answers the URL of @apollo/gateway under Apollo Server.
export async function apollo(supergraphSdl) {
  const gateway = new ApolloGateway({
    supergraphSdl,
    buildService: ({ name, url }) => new RemoteGraphQLDataSource({
      url,
      willSendRequest({ request, context }) {
        for (const [header, value] of Object.entries({ ...context.viewers, ...(name === 'halles' ? asRouter : {}) })) {
          request.http.headers.set(header, value);
        }
      },
    }),
    logger: { debug() {}, info() {}, warn() {}, error: console.error },
  });
  const server = new ApolloServer({ gateway, includeStacktraceInErrorResponses: false });
  const { url } = await startStandaloneServer(server, {
    listen: { port: 0, host: '127.0.0.1' },
    context: async ({ req }) => ({ viewers: req.headers.authorization ? { authorization: req.headers.authorization } : {} }),
  });
  return { url, close: () => server.stop() };
}

// hive answers the URL of Hive Gateway. Its subscriptions reach halles as event streams, or over
// a socket when subscriptions is "ws".
export async function hive(supergraphSdl, subscriptions = 'sse') {
  const runtime = createGatewayRuntime({
    supergraph: supergraphSdl,
    logging: false,
    maskedErrors: false,
    transports: { http, ws },
    transportEntries: {
      halles: subscriptions === 'ws'
        ? { options: { subscriptions: { kind: 'ws', options: { connectionParams: { authorization: '{context.headers.authorization}' } } } } }
        : { options: { subscriptions: { kind: 'http', options: { method: 'POST' } } } },
    },
    propagateHeaders: {
      fromClientToSubgraphs: ({ request, subgraphName }) => ({
        ...viewers(request.headers), ...(subgraphName === 'halles' ? asRouter : {}),
      }),
    },
  });
  const server = createServer(runtime);
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return {
    url: `http://127.0.0.1:${server.address().port}/graphql`,
    close: async () => { server.closeAllConnections(); server.close(); await runtime[Symbol.asyncDispose]?.(); },
  };
}
