// The orders of a basket are followed by one stream.
import assert from "node:assert/strict";
import { test } from "node:test";
import { api, ask, demo, site } from "../demo.js";
import { find, open } from "../page.js";

test("a basket of two shops is followed by one stream", async () => {
  const merchant = demo.tokens.merchant;
  const { viewer } = await ask("{ viewer { shops { id name commune { slug } products(first: 1) { nodes { id } } } } }", merchant);
  const shops = viewer.shops.filter(({ commune }) => commune.slug === "lorient").slice(0, 2);
  assert.equal(shops.length, 2, "the demo's merchant runs two shops in Lorient");
  const { page } = await open(null);
  const streams = [];
  page.on("request", (request) => request.headers().accept === "text/event-stream" && streams.push(new URL(request.url())));
  await page.goto(site + "/");
  for (const shop of shops) {
    await find(page, shop.name);
    await page.press(`[id="s-${shop.id}"]`, "Enter");
    await page.press(`[id="a-${shop.products.nodes[0].id}"]`, "Enter");
    await page.click("#back");
  }
  await page.click("#basket");
  await page.waitForSelector("#send");
  await page.fill("#name", "Anna Le Goff");
  await page.fill("#phone", "06 39 98 12 34");
  await page.click("#send");
  await page.waitForSelector(".slip >> nth=1");
  const orders = [];
  for (const shop of shops) {
    const slip = page.locator(".slip").filter({ hasText: shop.name });
    const number = /[0-9A-Z]{8}/.exec(await slip.textContent())[0];
    const { shop: mine } = await ask(`{ shop(id: "${shop.id}") { orders(first: 50) { nodes { id number } } } }`, merchant);
    orders.push({ slip, id: mine.orders.nodes.find((order) => order.number === number).id });
  }
  const step = (mutation, { id }) => ask(`mutation { ${mutation}(input: {order: "${id}"}) { refusals { message } } }`, merchant);
  for (const order of orders) {
    await step("acceptOrder", order);
    await order.slip.locator(".now", { hasText: "Acceptée" }).waitFor();
  }

  for (const mutation of ["markOrderReady", "markOrderCollected"]) for (const order of orders) await step(mutation, order);
  for (const order of orders) await order.slip.locator(".now", { hasText: "Retirée" }).waitFor();
  // Where one was cut, the next follows both again.
  assert.ok(streams.length > 0 && streams.every(({ origin }) => origin === new URL(api).origin));
  for (const { searchParams } of streams) assert.equal(JSON.parse(searchParams.get("variables")).orders?.length, 2, "one stream for the basket");
});
