// Places an order at one of the demo merchant's shops, as a visitor.
const { HALLES_GRAPHQL, HALLES_TOKEN } = process.env;

async function ask(query, variables, headers = {}) {
  const body = JSON.stringify({ query, variables });
  const answer = await fetch(HALLES_GRAPHQL, { method: "POST", headers: { "Content-Type": "application/json", ...headers }, body });
  const { data, errors } = await answer.json();
  if (errors) throw new Error(errors[0].message);
  return data;
}

(async () => {
  const { viewer } = await ask(
    "{ viewer { shops { id products(first: 50) { nodes { variants { id availability { orderable } } } } } } }", {},
    { Authorization: `Bearer ${HALLES_TOKEN}` },
  );
  for (const shop of viewer.shops) {
    for (const variant of shop.products.nodes.flatMap((p) => p.variants).filter((v) => v.availability.orderable)) {
      const { placeOrders } = await ask(
        "mutation ($input: PlaceOrdersInput!) { placeOrders(input: $input) { results { order { number } refusals { message } } } }",
        { input: {
          idempotencyKey: `guide-${process.pid}-${variant.id}`, contact: { name: "Anna", phone: "06 39 98 12 34" },
          orders: [{ shop: shop.id, mode: "PICKUP", lines: [{ variant: variant.id, quantity: 1 }] }],
        } },
      );
      if (placeOrders.results[0].order) return;
    }
  }
  throw new Error("nothing can be ordered at the demo merchant's shops");
})();
