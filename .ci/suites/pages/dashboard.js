// What the dashboard must show in a browser; see run.

// read is the page's tables and charts: of each table its cells, of each chart what it says in words,
// and whether it was drawn.
const read = (page) => page.evaluate(() => {
  const text = (e) => e.textContent.trim();
  return [...document.querySelectorAll("main section")].map((section) => {
    const img = section.querySelector("img.chart");
    const table = section.querySelector("table");
    return {
      title: text(section.querySelector("h2")),
      id: table.id,
      columns: [...table.querySelectorAll("thead th")].map(text),
      rows: [...table.querySelectorAll("tbody tr")].map((tr) => [...tr.children].map(text)),
      chart: img && { alt: img.alt, drawn: img.complete && img.naturalWidth > 0 && img.clientWidth > 0, source: img.currentSrc },
    };
  });
});

// What people read is set in no-break spaces; what is heard, or goes into a file, is not.
const ordinary = (text) => text.replace(/[\u00a0\u202f]/g, " ");

module.exports = async function dashboard(page, site, settled, fail) {
  await page.setViewport({ width: 1280, height: 900 });
  const today = new Date();
  const closed = new Date(Date.UTC(today.getUTCFullYear(), today.getUTCMonth() - (today.getUTCDate() < 6 ? 2 : 1), 1));
  const month = (back) => new Date(Date.UTC(closed.getUTCFullYear(), closed.getUTCMonth() - back, 1)).toISOString().slice(0, 7);
  const period = `de=${month(5)}&a=${month(0)}`;

  // The demo publishes in its first minute.
  for (let n = 0; ; n++) {
    await page.goto(`${site}/tableau-de-bord?${period}`, { waitUntil: "load" });
    if (await page.evaluate(() => !document.body.textContent.includes("Rien n'est encore publié"))) break;
    if (n > 120) throw new Error("nothing is published");
    await new Promise((again) => setTimeout(again, 1000));
  }
  const all = await read(page);
  if (all.length < 12) fail("the dashboard has", all.length, "tables");
  for (const t of all.filter((t) => t.id !== "cles")) {
    const of = t.id === "flux" ? 2 : 1; // the column that is drawn
    const numbers = t.rows.filter((r) => r[0] !== "Ensemble" && !/secret|publié|sans objet|cours/.test(r[1]));
    if (!t.chart) {
      if (numbers.length > 0) fail(t.title, "has figures and no chart");
      continue;
    }
    if (!t.chart.drawn) fail(t.title, "is not drawn");
    // The chart's words are its rows: each with the table's own text, the largest first where it is cut.
    for (const r of t.rows) {
      const said = ordinary(t.chart.alt).includes(ordinary(`${r[0]} ${r[of]}`));
      if (!said && numbers.length <= 12 && numbers.includes(r)) fail(t.title, "says in the table and not in the chart:", r[0], r[of]);
    }
    const svg = decodeURIComponent(escape(atob(t.chart.source.split(",")[1])));
    const drawn = [...svg.matchAll(/<text [^>]*>([^<]*)<\/text>/g)].map((m) => m[1]);
    if (t.id !== "mois") {
      for (const r of numbers.slice(0, 12)) {
        if (numbers.length <= 12 && !drawn.some((d) => d === r[of])) fail(t.title, "does not draw", r[0], r[of], drawn);
      }
    }
  }

  // The file is the tables.
  const plain = (list) => ordinary(JSON.stringify(list));
  const csv = await page.evaluate(async (address) => (await fetch(address)).text(), `/tableau-de-bord.csv?${period}`);
  const lines = csv.replace(/^\ufeff/, "").trim().split("\r\n").slice(1).map((l) => l.split(";").map((f) => f.replace(/^"|"$/g, "").replaceAll('""', '"')));
  const shown = all.flatMap((t) => t.id === "cles" ? t.rows.map((r) => r[1]) : t.rows.flatMap((r) => r.slice(1)));
  const written = lines.map((l) => l[6].replace(/^'/, ""));
  if (plain(shown) !== plain(written)) {
    const n = shown.findIndex((v, i) => plain([v]) !== plain([written[i]]));
    fail(`the file has ${written.length} values and the page ${shown.length}; the first that differs: ${shown[n]} and ${written[n]}`);
  }
  const json = JSON.parse(await page.evaluate(async (address) => (await fetch(address)).text(), `/tableau-de-bord.json?${period}`));
  if (plain(json.valeurs.map((v) => v.affiche)) !== plain(shown)) fail("JSON is not the page");

  // A filter changes table and chart, and survives a reload.
  await page.select("#commune", "56121");
  await Promise.all([page.waitForNavigation({ waitUntil: "load" }), page.click(".filters button")]);
  const own = await read(page);
  const at = (list, id) => list.find((t) => t.id === id);
  if (JSON.stringify(at(own, "secteurs").rows) === JSON.stringify(at(all, "secteurs").rows)) fail("the filter leaves the table as it was");
  if (at(own, "secteurs").chart?.source === at(all, "secteurs").chart?.source) fail("the filter leaves the chart as it was");
  if (own.some((t) => t.id === "flux")) fail("tables of all communes are crossed with one");
  await page.reload({ waitUntil: "load" });
  if (JSON.stringify(await read(page)) !== JSON.stringify(own)) fail("a reload changes the page");
  if (await page.$eval("#commune", (s) => s.value) !== "56121") fail("a reload forgets the filter");

  // Without JavaScript it is the same.
  await page.setJavaScriptEnabled(false);
  await page.goto(page.url(), { waitUntil: "load" });
  await page.setJavaScriptEnabled(true);
  if (JSON.stringify(await read(page)) !== JSON.stringify(own)) fail("without JavaScript the page is another");
};
