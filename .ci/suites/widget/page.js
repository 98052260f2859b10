// Pages of the demo's town, and what the tests do on them.
import { after, before } from "node:test";
import { api, ask, demo, launch, site } from "./demo.js";

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

/** A page of the town, with what its console complains of. $HALLES_WIDGET is a script to try in the place of the server's. */
export async function open(path, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, ...options });
  const page = await context.newPage();
  if (process.env.HALLES_WIDGET) await context.route("**/widget/v1/halles.js", (route) => route.fulfill({ path: process.env.HALLES_WIDGET, contentType: "text/javascript", headers: { "Access-Control-Allow-Origin": "*" } }));
  page.setDefaultTimeout(60_000);
  const complaints = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  if (path) await page.goto(site + path);
  return { page, complaints, context };
}

/** What has the focus, in a widget too. */
export const focused = (page) =>
  page.evaluate(() => {
    let on = document.activeElement;
    while (on?.shadowRoot?.activeElement) on = on.shadowRoot.activeElement;
    return on && { id: on.id, tag: on.localName, text: on.textContent.trim().slice(0, 80), seen: getComputedStyle(on).outlineStyle !== "none" };
  });

/** Does what has the prices asked for anew, and waits until the form is drawn with them. */
export async function redrawn(page, host, act) {
  await page.evaluate((host) => (document.querySelector(host).shadowRoot.getElementById("send").dataset.old = "1"), host);
  await act();
  await page.waitForFunction((host) => {
    const send = document.querySelector(host).shadowRoot.getElementById("send");
    return send && !send.dataset.old;
  }, host);
}

/** Looks for shops, and waits for the list of those that were found: a click on one of the list before is lost when it goes meanwhile. */
export async function find(page, text) {
  await page.fill("#text", text);
  await page.locator("halles-shops ul").first().evaluate((list) => (list.dataset.old = "1"));
  await page.click("#find");
  await page.locator("halles-shops ul:not([data-old])").first().waitFor();
}

/** Changes the town's page before the browser has it; `headers` too, where they are given. */
export const rewrite = (page, change, headers = (all) => all) =>
  page.route(site + "/", async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, headers: headers(answer.headers()), body: change(await answer.text()) });
  });

/** The town's page with one shop in the place of the list. */
export const showing = (shop) => (html) => html.replace("<halles-shops ", `<halles-shop id="${shop.id}" `).replace("</halles-shops>", "</halles-shop>");

/** A shop that the demo's merchant runs, in Lorient. */
export async function merchantShop() {
  const { viewer } = await ask("{ viewer { shops { id name commune { slug } } } }", demo.tokens.merchant);
  return viewer.shops.find(({ commune }) => commune.slug === "lorient") ?? viewer.shops[0];
}

/** Holds the answers of the API to what is sent by POST, where `which` says so of its variables, until they are let go. */
export async function hold(page, which) {
  let begun, go;
  const asked = new Promise((done) => (begun = done));
  const let_ = new Promise((done) => (go = done));
  const handler = async (route) => {
    if (route.request().method() !== "POST" || !which(route.request().postDataJSON().variables)) return route.fallback();
    const answer = await route.fetch();
    begun();
    await let_;
    await route.fulfill({ response: answer });
  };
  await page.route(api + "/graphql", handler);
  return { asked, go: () => (go(), page.unroute(api + "/graphql", handler)) };
}

/** Waits until a text is in the widget. */
export const says = (page, text) => page.locator("halles-shops, halles-shop").getByText(text).first().waitFor();
