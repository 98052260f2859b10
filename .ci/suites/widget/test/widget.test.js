import assert from "node:assert/strict";
import { test } from "node:test";
import { api, ask, axe, demo, site } from "../demo.js";
import { focused, merchantShop, open, redrawn, rewrite, showing } from "../page.js";

/** Presses Tab until the focus is on what is wanted. */
async function tabTo(page, wanted) {
  for (let i = 0; i < 300; i++) {
    await page.keyboard.press("Tab");
    const on = await focused(page);
    if (on && wanted(on)) {
      assert.ok(on.seen, `no sign of the focus on ${on.id || on.text}`);
      return on;
    }
  }
  throw new Error("Tab never comes there: " + wanted);
}

const clean = async (page, state, within) => assert.deepEqual(await axe(page, within), [], state);

for (const [path, words] of [
  ["/", { add: "Ajouter", name: "Anna", placed: "Envoyée", missing: "Indiquez votre nom" }],
  ["/en", { add: "Add", placed: "Sent", missing: "Enter your name" }],
  ["/br", { add: "Ouzhpennañ", placed: "Kaset", missing: "Merkit hoc’h anv" }],
]) {
  test(`every state in ${path} is clean, and a whole order goes by keyboard`, async () => {
    const { page, complaints } = await open(path);
    await page.waitForSelector("[data-shop]");
    await page.waitForSelector("halles-open-now .door");
    assert.doesNotMatch(await page.locator("halles-shops ul").first().textContent(), /\d\s?[AP]M/, "hours are counted to 24");
    await clean(page, "the cards");
    if (path === "/") {
      await page.locator("#rows").press("Enter");
      await page.waitForSelector("ul.rows [data-shop]");
      assert.equal((await focused(page)).id, "rows", "the focus stays on the button");
      await clean(page, "the list");
      await page.locator("#cards").press("Space");
      await page.waitForSelector("ul.cards [data-shop]");
      await page.locator("halles-shops h2").focus();
    }

    // A shop that sells, by the keys alone; the focus lands on its heading.
    await tabTo(page, ({ id }) => id === "text");
    await tabTo(page, ({ id }) => id.startsWith("s-"));
    await page.keyboard.press("Enter");
    await page.waitForSelector("#back");
    assert.equal((await focused(page)).tag, "h2");
    await clean(page, "a shop");
    await tabTo(page, ({ id }) => id.startsWith("a-"));
    await page.keyboard.press("Enter");
    await page.waitForSelector("#basket");
    assert.match((await focused(page)).id, /^a-/, "the focus stays on the button");
    await page.waitForFunction(() => document.querySelector("halles-shops").shadowRoot.querySelector("[role=status]").textContent !== "");
    await tabTo(page, ({ id }) => id === "basket");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#send");
    assert.equal((await focused(page)).tag, "h2");
    await clean(page, "the basket");
    const notice = await page.getAttribute("halles-shops form a", "href");
    assert.match(notice, /\/confidentialite$/);
    assert.ok((await page.request.get(notice)).ok());

    await tabTo(page, ({ id }) => id === "send");
    await page.keyboard.press("Enter");
    await page.waitForSelector("[role=alert]");
    assert.match(await page.textContent("halles-shops [role=alert]"), new RegExp(words.missing));
    await clean(page, "what is missing");

    // A slot, where the shop wants one: the first of the list, by its keys.
    await page.locator("halles-shops h2").focus();
    const slot = await tabTo(page, ({ id }) => id.startsWith("slot-"));
    await redrawn(page, "halles-shops", () => page.keyboard.press("ArrowDown"));
    await page.waitForFunction((id) => document.querySelector("halles-shops").shadowRoot.getElementById(id)?.value, slot.id);
    await tabTo(page, ({ id }) => id === "name");
    await page.keyboard.type("Anna Le Goff");
    await tabTo(page, ({ id }) => id === "phone");
    await page.keyboard.type("06 39 98 12 34");
    await tabTo(page, ({ id }) => id === "send");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".slip .letters");
    assert.equal((await focused(page)).tag, "h2");
    assert.match(await page.textContent(".slip .now"), new RegExp(words.placed));
    assert.ok(await page.locator(".slip svg.qr path").count());
    await clean(page, "the order");

    // Cancelled by whoever ordered, asked once; the focus is not lost.
    await tabTo(page, ({ id }) => id.startsWith("c-"));
    await page.keyboard.press("Enter");
    assert.match((await focused(page)).id, /^yes-/);
    await clean(page, "the question");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".slip .off");
    await page.waitForFunction(() => document.querySelector("halles-shops").shadowRoot.activeElement?.id.startsWith("o-"));
    await clean(page, "the end");
    assert.deepEqual(complaints, []);
    assert.deepEqual(await page.context().cookies(), []);
    assert.equal(await page.evaluate(() => localStorage.length + sessionStorage.length), 0);
  });
}

test("the first list is painted with one request to the API", async () => {
  const { page } = await open(null);
  const asked = [];
  page.on("request", (request) => request.url().startsWith(api) && request.resourceType() !== "image" && asked.push(request.method() + " " + new URL(request.url()).pathname));
  await rewrite(page, (html) => html.replace(/<halles-open-now.*?<\/halles-open-now>/, ""));
  await page.goto(site + "/");
  await page.waitForSelector("[data-shop]");
  assert.deepEqual(asked, ["GET /widget/v1/halles.js", "GET /graphql"]);
});

test("a narrow screen, a page at 200 % and forced colours", async () => {
  for (const options of [{ viewport: { width: 320, height: 640 } }, { viewport: { width: 600, height: 450 }, deviceScaleFactor: 2 }, { forcedColors: "active", reducedMotion: "reduce" }]) {
    const { page } = await open("/", options);
    await page.locator("[data-shop]").first().click();
    await page.waitForSelector("#back");
    const { wide, room } = await page.evaluate(() => ({ wide: document.documentElement.scrollWidth, room: innerWidth }));
    assert.ok(wide <= room, `${wide} px wide in ${room}`);
    await clean(page, JSON.stringify(options));
  }
});

test("three widgets on a page that resets everything", async () => {
  const { page, complaints } = await open("/ancien");
  await page.waitForFunction(() => [...document.querySelectorAll("[data-halles]")].every((element) => element.shadowRoot?.querySelector(".door")));
  for (const place of ['[data-halles="shops"]', '[data-halles="open-now"]']) await clean(page, place, place);
  await page.locator('[data-halles="shops"] [data-shop]').first().click();
  await page.waitForSelector("#back");
  assert.ok((await page.locator("#back").boundingBox()).height >= 24, "what one clicks has its size");
  assert.deepEqual(complaints, []);
});

test("what goes wrong is a sentence and a way on", async () => {
  const says = async (page, sentence) => {
    await page.waitForFunction((sentence) => document.querySelector("halles-shops").shadowRoot?.textContent.includes(sentence), sentence);
  };
  {
    const { page } = await open(null);
    await page.route(api + "/graphql**", (route) => route.abort());
    await page.route(api + "/widget/v1/check**", (route) => route.abort());
    await page.goto(site + "/");
    await says(page, "Le service ne répond pas");
    await clean(page, "down", "halles-shops");
    await page.unroute(api + "/graphql**");
    await page.click("halles-shops #retry"); // a way on that leads on
    await page.waitForSelector("[data-shop]");
  }
  {
    const { page } = await open(null);
    let go;
    const waits = new Promise((done) => (go = done));
    await page.route(api + "/graphql**", async (route) => {
      await waits;
      await route.continue();
    });
    await page.goto(site + "/");
    await says(page, "La connexion est lente");
    go();
    await page.waitForSelector("[data-shop]");
  }
  {
    const { page } = await open(null);
    await rewrite(page, (html) => html.replaceAll(demo.widgetKeys.lorient, "pk_lorient_none"));
    await page.goto(site + "/");
    await says(page, "sa clé n’est pas valable");
    await clean(page, "wrong key", "halles-shops");
  }
});

test("each step of the shop is shown live, and told without a name", async () => {
  const merchant = demo.tokens.merchant;
  const shop = await merchantShop();
  const { page } = await open(null);
  await page.addInitScript(() => {
    globalThis.told = [];
    for (const name of ["order-placed", "order-status", "basket-changed", "shop-opened"]) addEventListener("halles:" + name, ({ type, detail }) => globalThis.told.push({ type, ...detail }));
  });
  await rewrite(page, showing(shop));
  await page.goto(site + "/");
  await page.locator("button.main:visible").first().press("Enter");
  await page.click("#basket");
  await page.waitForSelector("#send");
  await redrawn(page, "halles-shop", () => page.locator("select[id^=slot-]").first().selectOption({ index: 1 }));
  await page.fill("#name", "Anna Le Goff");
  await page.fill("#email", "anna@exemple.fr");
  await page.waitForFunction(() => document.querySelector("halles-shop").shadowRoot.querySelector("select[id^=slot-]").value);
  await page.click("#send");
  await page.waitForSelector(".slip .now");
  const number = /[0-9A-Z]{8}/.exec(await page.textContent(".slip"))[0];
  const { shop: mine } = await ask(`{ shop(id: "${shop.id}") { orders(first: 50) { nodes { id number } } } }`, merchant);
  const { id } = mine.orders.nodes.find((order) => order.number === number);
  for (const [step, sentence] of [["acceptOrder", "Acceptée"], ["markOrderReady", "Prête"], ["markOrderCollected", "Retirée"]]) {
    await ask(`mutation { ${step}(input: {order: "${id}"}) { refusals { message } } }`, merchant);
    await page.waitForFunction((sentence) => document.querySelector("halles-shop").shadowRoot.querySelector(".now").textContent.includes(sentence), sentence);
  }
  const told = JSON.stringify(await page.evaluate(() => globalThis.told));
  assert.match(told, /halles:order-placed/);
  assert.match(told, /COLLECTED/);
  for (const private_ of ["Anna", "exemple", number, "order_"]) assert.ok(!told.includes(private_), told);
});

test("a thousand shops come page by page", async () => {
  const { page } = await open(null);
  await page.route(api + "/graphql**", async (route) => {
    const { first, after } = JSON.parse(new URL(route.request().url()).searchParams.get("variables"));
    if (!first) return route.continue();
    const begin = Number(after ?? 0);
    const nodes = Array.from({ length: first }, (_, i) => ({
      id: "shop_" + (begin + i), slug: "s", name: `Boutique ${begin + i} <img src=x onerror=alert(1)> \u202eéteul 🥖`, category: { name: "Livres" }, address: { street: "1 rue du Port", postcode: "56100", city: "Lorient" },
      location: { latitude: 47.7, longitude: -3.3 }, photos: [], service: { open: true, until: null, refusal: null }, fulfilments: [{ mode: "PICKUP" }],
    }));
    const shops = { totalCount: 1000, nodes, pageInfo: { hasNextPage: begin + first < 1000, endCursor: String(begin + first) } };
    await route.fulfill({ json: { data: { commune: { name: "Lorient", openingText: null, ordersPausedText: null, shops }, categories: [] } }, headers: { "Access-Control-Allow-Origin": site } });
  });
  await rewrite(page, (html) => html.replace("<halles-shops ", '<halles-shops limit="100" ').replace(/<halles-open-now.*?<\/halles-open-now>/, ""));
  await page.goto(site + "/");
  const shown = () => page.waitForFunction((n) => document.querySelector("halles-shops").shadowRoot?.querySelectorAll("[data-shop]").length >= n, n);
  let n = 100;
  await shown();
  await page.evaluate(() => (document.querySelector("halles-shops").shadowRoot.querySelector("[data-shop]").dataset.first = "1"));
  while (n < 1000) {
    // By key: what is out of sight has a guessed height, so a button at the end may move away from under a mouse that is faster than a hand.
    if (n === 500) await page.locator("#more").evaluate((button) => [button.click(), button.click()]); // impatient
    else await page.press("#more", "Enter");
    n += 100;
    await shown();
  }
  const ids = await page.evaluate(() => [...document.querySelector("halles-shops").shadowRoot.querySelectorAll("[data-shop]")].map(({ id }) => id));
  assert.equal(ids.length, 1000);
  assert.equal(new Set(ids).size, 1000, "two clicks bring no shop twice");
  assert.equal(await page.locator("[data-first]").count(), 1, "what stood there stays");
  assert.equal((await focused(page)).id, "s-shop_900", "the focus is on the first of the new ones");
  assert.equal(await page.locator("halles-shops img, halles-shops script").count(), 0);
  const slowest = await page.evaluate(async () => {
    let longest = 0;
    for (let i = 0; i < 60; i++) {
      const before = performance.now();
      scrollBy(0, 900);
      await new Promise(requestAnimationFrame);
      longest = Math.max(longest, performance.now() - before);
    }
    return longest;
  });
  console.log(`scrolling 1,000 shops: the slowest of 60 frames took ${Math.round(slowest)} ms`);
});
