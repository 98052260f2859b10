// Both subgraphs composed, as @apollo/composition does it.
import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';
import * as agenda from './agenda.js';
import { sdl, url } from './demo.js';

export const services = async (agendaURL) => [
  { name: 'halles', url, typeDefs: parse(await sdl()) },
  { name: 'agenda', url: agendaURL, typeDefs: parse(agenda.typeDefs) },
];

export async function supergraph(agendaURL) {
  const { errors, supergraphSdl, hints } = composeServices(await services(agendaURL));
  if (errors?.length) throw new Error(errors.map((e) => e.message).join('\n'));
  return { supergraphSdl, hints };
}
