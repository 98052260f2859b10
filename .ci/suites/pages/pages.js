// Looks at the server's pages; see run.
const { readFileSync } = require("node:fs");
const { execFileSync } = require("node:child_process");
const puppeteer = require("puppeteer-core");
const dashboard = require("./dashboard.js");

const site = process.env.HALLES_URL;
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
let wrong = 0, looked = 0;
const fail = (...what) => { wrong++; console.log("FAIL", ...what); };

// chromium is the one that is installed.
function chromium() {
  for (const name of ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]) {
    try {
      return execFileSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim();
    } catch { /* the next one */ }
  }
  return "/usr/lib/chromium/chromium";
}

// settled waits until a condition holds in the page.
const settled = (page, condition, ...args) => page.waitForFunction(condition, { timeout: 60000 }, ...args);

// signIn signs in at the demo's issuer as one of its people, and comes to a page.
async function signIn(page, subject, path) {
  await page.goto(`${site}/session/start?next=${encodeURIComponent(path)}`);
  await settled(page, () => document.querySelector("button") !== null);
  const offered = await page.$$eval("button", (list) => list.map((b) => b.value));
  if (!offered.includes(subject)) throw new Error(`nobody is ${subject}: ${offered}`);
  await page.click(`button[value="${subject}"]`);
  await settled(page, (want) => location.pathname === want, new URL(path, site).pathname);
}

// look asks axe and measures.
async function look(page, name) {
  for (const [width, text] of [[360, ""], [1280, "200%"], [1920, ""]]) {
    await page.setViewport({ width, height: 900 });
    await page.evaluate((size) => { document.documentElement.style.fontSize = size; }, text);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    if (wide > width) fail(`${name} at ${width} px ${text}: ${wide} px wide`);
    if (process.env.HALLES_PICTURES) {
      await page.screenshot({ path: `${process.env.HALLES_PICTURES}/${name.replace(/\W+/g, "-")}-${width}.png`, fullPage: true });
    }
    // The page's policy lets no script of ours in: the debugger's own is not asked.
    await page.evaluate(axe);
    const { violations, passes } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations", "passes"] }));
    if (passes.length < 5) fail(`${name}: axe looked at ${passes.length} rules`);
    for (const v of violations) {
      fail(`${name} at ${width} px ${text}: ${v.id} (${v.impact}): ${v.help}: ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(" | ")}`);
    }
    looked++;
  }
  await page.evaluate(() => { document.documentElement.style.fontSize = ""; });
}

(async () => {
  const root = process.getuid && process.getuid() === 0;
  const browser = await puppeteer.launch({ executablePath: chromium(), args: ["--disable-gpu", ...(root ? ["--no-sandbox"] : [])] });
  try {
    const open = async (subject, ...paths) => {
      const context = await browser.createBrowserContext();
      const page = await context.newPage();
      page.on("pageerror", (e) => fail("a script stops:", e.message));
      page.on("request", (r) => {
        if (!/^(data|blob):/.test(r.url()) && new URL(r.url()).host !== new URL(site).host) fail(page.url(), "asks", r.url());
      });
      if (subject) await signIn(page, subject, paths[0]);
      for (const path of paths) {
        const answer = await page.goto(site + path, { waitUntil: "load" });
        if (answer.status() >= 400) fail(path, "answers", answer.status());
        await look(page, `${subject || "anybody"} ${path}`);
      }
      return page;
    };
    const ask = async (query, token) => (await (await fetch(process.env.HALLES_GRAPHQL, {
      method: "POST", headers: { "Content-Type": "application/json", ...(token ? { Authorization: `Bearer ${token}` } : {}) }, body: JSON.stringify({ query }),
    })).json()).data;
    const found = await ask('{ shops(first: 1, filter: {communes: ["56121"]}) { edges { node { slug } } } }');
    const shop = `/boutique/lorient/${found.shops.edges[0].node.slug}`;
    if (!process.env.HALLES_QUICK) await open("", "/", "/docs", "/opendata", shop, "/commande");
    await open("demo-merchant", "/comptoir");
    const page = await open("demo-analyst", "/tableau-de-bord", "/tableau-de-bord/definitions");
    await dashboard(page, site, settled, fail);
  } finally {
    await browser.close();
  }
  console.log(`${looked} looks at pages, ${wrong} findings`);
  process.exit(wrong === 0 ? 0 : 1);
})().catch((error) => { console.log(error); process.exit(1); });
