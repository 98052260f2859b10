// The running demo, and the router's credential, which only a gateway has.
import { readFileSync } from 'node:fs';

const demo = JSON.parse(readFileSync(process.env.HALLES_DEMO));
export const url = process.env.HALLES_GRAPHQL;
export const tokens = demo.tokens;
export const bearer = (token) => (token ? { authorization: `Bearer ${token}` } : {});
export const asRouter = { 'x-halles-router': demo.tokens.router };

export async function send(to, query, variables, headers = {}) {
  const answer = await fetch(to, {
    method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify({ query, variables }),
  });
  return answer.json();
}

// ask answers the data; an error is thrown.
export async function ask(to, query, variables, headers) {
  const { data, errors } = await send(to, query, variables, headers);
  if (errors) throw new Error(`${query}: ${JSON.stringify(errors)}`);
  return data;
}

export const sdl = async () => (await ask(url, '{ _service { sdl } }', {}, asRouter))._service.sdl;
