// What changed since the last released schema: node changes.js RELEASED NOW. A breaking change
// fails, unless announced.json names it by graphql-inspector's path and tells since when and why.
import { readFileSync } from 'node:fs';
import { CriticalityLevel, diff } from '@graphql-inspector/core';
import { buildSchema } from 'graphql';

const [released, now] = process.argv.slice(2).map((file) => buildSchema(readFileSync(file, 'utf8')));
const announced = JSON.parse(readFileSync(new URL('announced.json', import.meta.url)));
const changes = await diff(released, now);
let failed = 0;
for (const { criticality, type, path, message } of changes) {
  if (criticality.level !== CriticalityLevel.Breaking) continue;
  if (announced.some((a) => a.path === path && a.type === type && a.since && a.reason)) continue;
  failed++;
  console.log(`breaking: ${type} at ${path}: ${message}`);
}
console.log(`${changes.length} changes since the release, ${failed} of them break clients and are not announced`);
process.exit(failed ? 1 : 0);
