// A page that pinned a version, with its hash, browses and orders with it beside every later server.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { api, ask, demo, site } from "../demo.js";
import { find, merchantShop, open, rewrite, says } from "../page.js";

const released = new URL("../../../../internal/web/widget/released/", import.meta.url);
for (const folder of readdirSync(released).filter((name) => name.includes("_"))) {
  const version = folder.split("_")[1];
  test(`the version of ${folder} browses, orders and follows`, async () => {
    const script = readFileSync(new URL(folder + "/halles.js", released));
    const integrity = "sha384-" + createHash("sha384").update(script).digest("base64");
    const shop = await merchantShop();
    const { shop: sells } = await ask(`{ shop(id: "${shop.id}") { products(first: 20) { nodes { id } } } }`, demo.tokens.merchant);
    const { page, complaints } = await open(null);
    const asked = [];
    page.on("request", (request) => request.url().endsWith("/halles.js") && asked.push(request.url()));
    await rewrite(page, (html) => html.replace(`src="${api}/widget/v1/halles.js"`, `src="${api}/widget/${version}/halles.js" integrity="${integrity}" crossorigin="anonymous"`));
    await page.goto(site + "/");
    await page.locator("halles-shops [data-shop]").first().waitFor();
    await find(page, shop.name);
    await page.locator("halles-shops").getByRole("link", { name: shop.name }).or(page.locator("halles-shops").getByRole("button", { name: shop.name })).first().click();
    await page.press(`[id="a-${sells.products.nodes[0].id}"]`, "Enter");
    await page.click("#basket");
    await page.waitForSelector("#send");
    await page.fill("#name", "Anna Le Goff");
    await page.fill("#phone", "06 39 98 12 34");
    await page.click("#send");
    await page.waitForSelector(".slip .now");
    const { viewer } = await ask("{ viewer { shops { id orders(first: 1) { nodes { id } } } } }", demo.tokens.merchant); // the latest first
    const [order] = viewer.shops.find(({ id }) => id === shop.id).orders.nodes;
    await ask(`mutation { acceptOrder(input: { order: "${order.id}" }) { order { id } } }`, demo.tokens.merchant);
    await says(page, /en préparation|acceptée/i);
    assert.deepEqual(asked, [`${api}/widget/${version}/halles.js`]);
    assert.deepEqual(complaints, []);
  });
}
