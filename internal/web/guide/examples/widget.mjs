// The first shops of a commune, as its own page would ask: with its key, and by the hash of a
// registered document. Kept by the browser for a second, checked by ETag after.
const { HALLES_URL, HALLES_KEY } = process.env; // in a page: two constants

const { operations } = await (await fetch(`${HALLES_URL}/documents.json?audience=widget`)).json();
const hash = operations.find((o) => o.name === "WidgetShops").id; // in a page: a constant too

const variables = { commune: "lorient", first: 10 };
const address = new URL("/graphql", HALLES_URL);
address.search = new URLSearchParams({ documentId: hash, variables: JSON.stringify(variables), key: HALLES_KEY });
const { data, errors } = await (await fetch(address)).json();
if (errors) throw new Error(errors[0].message); // a French sentence that can be shown

for (const shop of data.commune.shops.nodes) console.log(shop.name);
