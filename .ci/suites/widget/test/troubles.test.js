// What happens between the choice and the order: a sentence for people, and a way on that leads on.
import assert from "node:assert/strict";
import { test } from "node:test";
import { api, ask, axe, demo, site } from "../demo.js";
import { merchantShop, open, redrawn, rewrite, says, showing } from "../page.js";

const { merchant, agent } = demo.tokens;

/** A product of the merchant's shop, each test its own. */
async function article(n) {
  const shop = await merchantShop();
  const { shop: sells } = await ask(`{ shop(id: "${shop.id}") { products(first: 10) { nodes { id name variants { id price { cents } } } } } }`, merchant);
  const product = sells.products.nodes[n];
  return { shop, product, variant: product.variants[0] };
}

/** The basket with one product in it, and whose it is filled in. */
async function basket({ shop, product }) {
  const { page } = await open(null);
  await rewrite(page, showing(shop));
  await page.goto(site + "/");
  await page.press(`[id="a-${product.id}"]`, "Enter");
  await page.click("#basket");
  await page.waitForSelector("#send");
  await page.fill("#name", "Anna Le Goff");
  await page.fill("#phone", "06 39 98 12 34");
  return page;
}

const clean = async (page, state) => assert.deepEqual(await axe(page, "halles-shop, halles-shops"), [], state);
const placed = (page) => page.waitForSelector(".slip .now");
const again = (page, act) => redrawn(page, "halles-shop", act);

test("a slot that was taken after it was chosen", async () => {
  const it = await article(3);
  const page = await basket(it);
  const slot = page.locator(`[id="slot-${it.shop.id}"]`);
  const last = (await slot.locator("option").count()) - 1; // far off: nobody has it yet
  await again(page, () => slot.selectOption({ index: last }));
  const start = await slot.inputValue();
  const { setSlotCapacity } = await ask(`mutation { setSlotCapacity(input: { shop: "${it.shop.id}", mode: PICKUP, start: "${start}", capacity: 1 }) { refusals { message } } }`, merchant);
  assert.deepEqual(setSlotCapacity.refusals, []);
  const { placeOrders } = await ask(`mutation { placeOrders(input: { idempotencyKey: "${crypto.randomUUID()}", contact: { name: "Yann", phone: "06 39 98 12 35" },
    orders: [{ shop: "${it.shop.id}", mode: PICKUP, slot: "${start}", lines: [{ variant: "${it.variant.id}", quantity: 1 }] }] }) { results { order { id } refusals { message } } } }`);
  assert.ok(placeOrders.results[0].order, JSON.stringify(placeOrders));

  await page.click("#send");
  await says(page, /créneau .*(complet|pris)/i);
  assert.equal(await slot.inputValue(), "", "it is chosen no more");
  assert.equal(await slot.locator(`option[value="${start}"]`).count(), 0, "nor to be chosen");
  assert.equal(await page.inputValue("#name"), "Anna Le Goff", "what was filled in stays");
  await clean(page, "a slot that is full");
  await page.click("#send"); // as it stands there: as soon as possible
  await placed(page);
});

test("pieces that were sold while they lay in the basket", async () => {
  const it = await article(4);
  const count = (pieces) => ask(`mutation { correctStock(input: { variant: "${it.variant.id}", reason: COUNTED, pieces: ${pieces} }) { variant { stock } } }`, merchant);
  await count(9);
  const page = await basket(it);
  const quantity = page.locator(`[id="q-${it.variant.id}"]`);
  for (let n = 2; n <= 3; n++) await again(page, () => quantity.press("ArrowUp"));
  await count(1);
  await page.click("#send");
  await says(page, /reste/);
  await clean(page, "fewer than wanted");
  await again(page, () => page.click(`[id="take-${it.variant.id}"]`));
  assert.equal(await quantity.inputValue(), "1");

  await count(0); // and the last one too
  await page.click("#send");
  await says(page, /épuisé/);
  await page.click(`[id="f-${it.shop.id}"] .lines button`);
  await says(page, "Votre panier est vide");
  await page.click("#back");
  await page.waitForSelector(`[id="a-${it.product.id}"]`, { state: "attached" });
});

test("a delivery: enough of it, and not too far", async () => {
  const it = await article(5);
  const page = await basket(it);
  await page.selectOption(`[id="mode-${it.shop.id}"]`, "DELIVERY");
  await page.waitForSelector("#street");
  await says(page, /Il manque .*€/);
  await page.click("#send");
  await says(page, "Indiquez la rue");
  await clean(page, "the address is missing");
  const quantity = page.locator(`[id="q-${it.variant.id}"]`);
  await quantity.fill(String(Math.ceil(2500 / it.variant.price.cents)));
  await quantity.blur();
  await page.getByText(/Il manque/).waitFor({ state: "detached" });

  await page.fill("#street", "1 rue du Phare");
  await page.fill("#postcode", "56590");
  await page.fill("#city", "Groix");
  await page.locator("#city").blur();
  await says(page, /à la ronde/);
  await clean(page, "too far");
  await page.fill("#street", "1 rue du Port");
  await page.fill("#postcode", "56100");
  await page.fill("#city", "Lorient");
  await page.locator("#city").blur();
  await page.locator(`[id="f-${it.shop.id}"] .bad`).waitFor({ state: "detached" });
  await again(page, () => page.selectOption(`[id="slot-${it.shop.id}"]`, { index: 2 }));
  await page.click("#send");
  await placed(page);
  await says(page, "En route");
});

test("a key that was revoked while the page is open", async () => {
  const { viewer } = await ask("{ viewer { shops { commune { id slug } } } }", merchant);
  const commune = viewer.shops.find((shop) => shop.commune.slug === "lorient").commune.id;
  const { createWidgetKey } = await ask(`mutation { createWidgetKey(input: { commune: "${commune}", name: "Un essai", origins: ["${site}"] }) { key { id key } } }`, agent);
  const { id, key } = createWidgetKey.key;
  const { page } = await open(null);
  await rewrite(page, (html) => html.replaceAll(demo.widgetKeys.lorient, key));
  await page.goto(site + "/");
  await page.waitForSelector("[data-shop]");
  await ask(`mutation { revokeWidgetKey(input: { key: "${id}" }) { key { id } } }`, agent);
  const code = async () => (await (await fetch(`${api}/widget/v1/check?key=${key}`, { headers: { Origin: site } })).json()).code;
  for (const end = Date.now() + 90_000; (await code()) !== "KEY"; await new Promise((done) => setTimeout(done, 250))) assert.ok(Date.now() < end, "the key is still good");
  await page.fill("#text", "pain");
  await page.click("#find");
  await says(page, "sa clé n’est pas valable");
  await clean(page, "revoked");
  await page.getByText("Voir la liste simple des boutiques").click();
  await page.getByRole("heading", { name: "Les boutiques de Lorient" }).waitFor();
});

test("a page whose policy lets no photo pass shows initials", async () => {
  const shop = await merchantShop();
  const { page } = await open("/");
  const photo = await page.evaluate(async () => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 400;
    canvas.getContext("2d").fillRect(50, 50, 200, 200);
    const bytes = new Uint8Array(await (await new Promise((done) => canvas.toBlob(done, "image/png"))).arrayBuffer());
    return [...bytes];
  });
  const sent = await fetch(api + "/media?commune=lorient", { method: "POST", headers: { "Content-Type": "image/png", Authorization: "Bearer " + merchant }, body: Uint8Array.from(photo) });
  const { id } = await sent.json();
  await ask(`mutation { addPhoto(input: { shop: "${shop.id}", media: "${id}", alt: "La vitrine" }) { photo { id } } }`, merchant);
  const card = page.locator("halles-shops li.card", { has: page.locator(`[id="s-${shop.id}"]`) });
  for (const end = Date.now() + 60_000; !(await card.locator("img.photo").count()); await page.reload()) {
    assert.ok(Date.now() < end, "the photo never comes");
    await card.waitFor();
  }
  const { page: strict, complaints } = await open(null);
  await rewrite(strict, (html) => html, (headers) => ({ ...headers, "content-security-policy": headers["content-security-policy"].replace(/img-src[^;]*;/, "") }));
  await strict.goto(site + "/");
  const same = strict.locator("halles-shops li.card", { has: strict.locator(`[id="s-${shop.id}"]`) });
  await same.locator("span.photo").waitFor();
  assert.match(await same.locator("span.photo").textContent(), /^\p{Lu}\p{Lu}?$/u);
  assert.equal(await strict.locator("halles-shops img").count(), 0);
  assert.ok(complaints.length > 0 && complaints.every((text) => /img-src|default-src/.test(text)), complaints.join("\n"));
  await clean(strict, "initials");
});
