// Validates what /opendata serves; see run.
const { parse } = require("csv-parse/sync");
const { Schema } = require("tableschema");
const OpeningHours = require("opening_hours");

const site = process.env.HALLES_URL;
let wrong = 0;
const fail = (...what) => { wrong++; if (wrong <= 20) console.log("FAIL", ...what); };

async function get(path, headers = {}) {
  const answer = await fetch(site + path, { headers });
  return { answer, text: await answer.text() };
}

// Where holidays are looked up: Lorient.
const place = { lat: 47.748, lon: -3.37, address: { country_code: "fr", state: "Bretagne" } };

(async () => {
  const { check } = await import("@placemarkio/check-geojson");
  const descriptor = JSON.parse((await get("/opendata/schema.json")).text);
  const schema = await Schema.load(descriptor, { strict: true });
  if (!schema.valid) fail("the schema itself", schema.errors);

  const files = ["/opendata/", "/opendata/56121/", "/opendata/56069/"];
  let rows = 0, hours = 0, features = 0;
  for (const folder of files) {
    const { answer, text } = await get(folder + "commerces.csv");
    const again = await get(folder + "commerces.csv", { "If-None-Match": answer.headers.get("etag") });
    if (again.answer.status !== 304) fail(folder, "is not the same twice:", again.answer.status);
    const [header, ...records] = parse(text, { relax_quotes: false });
    if (JSON.stringify(header) !== JSON.stringify(schema.fieldNames)) fail(folder, "header", header);
    const seen = new Set();
    for (const record of records) {
      rows++;
      try {
        schema.castRow(record);
      } catch (error) {
        fail(folder, record[0], (error.errors || [error]).map((e) => e.message).join("; "));
      }
      if (seen.has(record[0])) fail(folder, record[0], "is there twice");
      seen.add(record[0]);
      const told = record[header.indexOf("horaires")];
      if (told) {
        hours++;
        try {
          const oh = new OpeningHours(told, place, { locale: "fr" });
          // A night past midnight runs into a day that a later rule closes: that is meant, and the
          // library says itself that this one may be ignored.
          const warnings = oh.getWarnings().filter((w) => !/remplace des parties/.test(w));
          if (warnings.length) fail(record[0], told, warnings.join("; "));
          oh.getNextChange(new Date());
        } catch (error) {
          fail(record[0], told, String(error));
        }
      }
    }
    const geo = (await get(folder + "commerces.geojson")).text;
    try {
      const collection = check(geo);
      features += collection.features.length;
      if (collection.features.length !== records.length) fail(folder, "has", records.length, "rows and", collection.features.length, "features");
    } catch (error) {
      fail(folder, "check-geojson:", JSON.stringify(error.issues || error.message));
    }
    const json = JSON.parse((await get(folder + "commerces.json")).text);
    if (json.commerces.length !== records.length) fail(folder, "JSON has", json.commerces.length, "shops");
    if (new Set(json.commerces.map((s) => s.identifiant)).size !== seen.size) fail(folder, "JSON has other shops");
  }
  if (rows < 100 || hours < 100 || features < 100) fail("too little to validate:", rows, hours, features);
  console.log(`${rows} rows by the Table Schema, ${features} features, ${hours} opening hours`);
  if (wrong) console.log(`${wrong} wrong`);
  process.exit(wrong ? 1 : 0);
})();
