// Follow a shop's orders as an event stream, and resume after the last cursor when it breaks.
const { HALLES_URL, HALLES_TOKEN } = process.env;

async function ask(query, variables, accept = "application/json") {
  const headers = { "Content-Type": "application/json", Authorization: `Bearer ${HALLES_TOKEN}`, Accept: accept };
  return fetch(`${HALLES_URL}/graphql`, { method: "POST", headers, body: JSON.stringify({ query, variables }) });
}

const { data } = await (await ask("{ viewer { shops { id } } }")).json();
const shops = data.viewer.shops.map((shop) => shop.id);

let after = null; // keep it where the page finds it again
const query = `subscription ($shops: [ID!]!, $after: String) {
  shopOrders(shops: $shops, after: $after) { cursor kind at order { number } }
}`;
const stream = await ask(query, { shops, after }, "text/event-stream");
let text = "";
for await (const chunk of stream.body.pipeThrough(new TextDecoderStream())) {
  text += chunk;
  const events = text.split("\n\n");
  text = events.pop();
  for (const event of events) {
    const line = event.split("\n").find((l) => l.startsWith("data: {"));
    if (!line) continue; // a heartbeat
    const { data, errors } = JSON.parse(line.slice(6));
    if (errors) throw new Error(errors[0].message);
    after = data.shopOrders.cursor;
    console.log(data.shopOrders.kind, data.shopOrders.order.number);
  }
  if (after) break; // an example ends; a page goes on
}
process.exit(after ? 0 : 1);
