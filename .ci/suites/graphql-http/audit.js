// The audits of graphql-http: node audit.js URL-OF-GRAPHQL
// It prints one line for each that does not hold, and counts.
import { auditServer } from 'graphql-http';

const url = process.argv[2];
for (let tries = 100; ; tries--) { // the demo says where it will listen before it does
  try {
    await fetch(`${url}?query={__typename}`);
    break;
  } catch (refused) {
    if (tries === 0) throw refused;
    await new Promise((resume) => setTimeout(resume, 100));
  }
}

const results = await auditServer({ url });
let failed = 0;
for (const { id, name, status, reason, response } of results) {
  if (status === 'ok') continue;
  failed++;
  console.log(`FAIL ${id} ${name}\n     ${reason}; answered ${response.status} ${response.headers.get('content-type')}`);
}
console.log(`${results.length - failed} passed, ${failed} failed`);
// Less than the known number would be a suite that lost its audits.
process.exit(failed === 0 && results.length >= 61 ? 0 : 1);
