const { HALLES_GRAPHQL, HALLES_DEMO } = process.env;
const { tokens } = JSON.parse(require("fs").readFileSync(HALLES_DEMO));

async function ask(who, query, variables) {
  const headers = { "Content-Type": "application/json", ...(who && { Authorization: `Bearer ${tokens[who]}` }) };
  const answer = await fetch(HALLES_GRAPHQL, { method: "POST", headers, body: JSON.stringify({ query, variables }) });
  const { data, errors } = await answer.json();
  if (errors) throw new Error(`${who ?? "a visitor"}: ${errors[0].message}\n${query}`);
  return data;
}

// change runs a mutation and gives its payload, which must refuse nothing.
async function change(who, field, input, selection, type = field[0].toUpperCase() + field.slice(1) + "Input") {
  const { [field]: payload } = await ask(who, `mutation ($input: ${type}!) { ${field}(input: $input) { ${selection} } }`, { input });
  if (payload.refusals?.length) throw new Error(`${field}: ${payload.refusals[0].message}`);
  return payload;
}

// wants asks until the answer is the one wanted: what visitors read may be a second old.
async function wants(what, look, want) {
  let got;
  for (let n = 0; n < 100; n++) {
    got = await look();
    if (JSON.stringify(got) === JSON.stringify(want)) {
      console.log(`ok: ${what}`);
      return;
    }
    await new Promise((again) => setTimeout(again, 100));
  }
  throw new Error(`${what}: ${JSON.stringify(got)}, want ${JSON.stringify(want)}`);
}

// siret makes the number of an establishment: nine digits and five, each whole with Luhn's sum.
function siret(n) {
  const luhn = (head) => {
    for (let last = 0; last < 10; last++) {
      const digits = [...head, last].reverse().map(Number);
      if (digits.reduce((sum, d, i) => sum + (i % 2 ? (d * 2 > 9 ? d * 2 - 9 : d * 2) : d), 0) % 10 === 0) return head + last;
    }
  };
  return luhn(luhn(String(n).padStart(8, "8")) + "0001");
}

(async () => {
  const name = "L'Échoppe d'Ève";
  const { viewer } = await ask("agent", "{ viewer { communes { id insee slug name location { latitude longitude } postcodes } } }");
  const commune = viewer.communes[0];
  const listed = async () => {
    for (let after = null; ;) {
      const { commune: { shops } } = await ask(null, `query ($insee: InseeCode!, $after: String) { commune(insee: $insee) { shops(first: 100, after: $after) { nodes { name } pageInfo { hasNextPage endCursor } } } }`, { insee: commune.insee, after });
      if (shops.nodes.some((s) => s.name === name)) return true;
      if (!shops.pageInfo.hasNextPage) return false;
      after = shops.pageInfo.endCursor;
    }
  };

  // A merchant calls; the operator takes down what there is.
  const begun = await change("hotline", "startRegistration", { commune: commune.id, answers: { name, contactName: "Ève Le Goff", contactPhone: "06 39 98 12 34" } }, "registration { id status } refusals { message }");
  const registration = begun.registration.id;
  await change("hotline", "logCall", { commune: commune.id, reason: "REGISTRATION", outcome: "CALL_BACK", seconds: 240, registration }, "call { id }");
  await wants("begun by telephone", () => begun.registration.status, "STARTED");
  const { registrationConsent } = await ask(null, "{ registrationConsent { version } }");
  await change("hotline", "saveRegistration", { registration, answers: {
    siret: siret(20201030), category: "category_librairie", street: "12 rue du Port", postcode: commune.postcodes[0], city: commune.name, naf: "47.61Z",
    location: commune.location, phone: "02 97 12 34 56", consent: registrationConsent.version, services: ["card"],
  } }, "registration { missing } refusals { message }");
  const sent = await change("hotline", "submitRegistration", { registration }, "registration { version } refusals { message }");

  // The commune's agent decides.
  const { shop: { id: shop } } = await change("agent", "verifyRegistration", { registration, version: sent.registration.version }, "shop { id } refusals { message }");
  await wants("verified, it is not public", listed, false);
  await change("agent", "publishShop", { shop }, "shop { status } refusals { message }", "ShopInput");
  await wants("published, it is in the public list", listed, true);

  // Open day and night; then a decree closes the trade to visitors, and ends.
  const now = async () => (await ask(null, "query ($shop: ID!) { shop(id: $shop) { version openNow nextOpening { start } closures { reason } regime { visitors modes } } }", { shop })).shop;
  const weekly = [1, 2, 3, 4, 5, 6, 7].map((weekday) => ({ weekday, opens: "00:00", closes: "00:00" }));
  const openHolidays = ["NEW_YEAR", "EASTER_MONDAY", "LABOUR_DAY", "VICTORY_DAY", "ASCENSION", "WHIT_MONDAY", "NATIONAL_DAY", "ASSUMPTION", "ALL_SAINTS", "ARMISTICE", "CHRISTMAS"];
  await change("agent", "setOpeningHours", { shop, version: (await now()).version, weekly, openHolidays }, "shop { id }");
  await wants("open", async () => (await now()).openNow, true);
  const minute = new Date(Math.floor(Date.now() / 60_000) * 60_000);
  const { restrictions } = await change("agent", "declareRestriction", {
    communes: [commune.id], rank: "MAYOR", title: "arrêté municipal", from: minute, categories: ["category_librairie"], allows: ["PICKUP", "DELIVERY"],
  }, "restrictions { id version }");
  const regime = async () => {
    const { openNow, regime } = await now();
    return [openNow, regime.visitors, regime.modes];
  };
  await wants("restricted", regime, [false, false, ["PICKUP", "DELIVERY"]]);
  await change("agent", "endRestriction", { restriction: restrictions[0].id, version: restrictions[0].version }, "restrictions { id }");
  await wants("free again", async () => (await now()).openNow, true);

  // A week's holiday, and the end.
  const back = new Date(minute.getTime() + 7 * 24 * 3600_000);
  await change("agent", "closeShop", { shop, until: back, reason: "congés" }, "shop { id }");
  const away = async () => {
    const { openNow, closures, nextOpening } = await now();
    return [openNow, closures[0]?.reason, nextOpening && new Date(nextOpening.start).getTime()];
  };
  await wants("closed for a week", away, [false, "congés", back.getTime()]);
  await change("agent", "suspendShop", { shop, reason: "MERCHANT_ASKED", text: "Fin d'activité." }, "shop { status } refusals { message }");
  await wants("suspended, it is gone", listed, false);
  const { shop: { history } } = await ask("agent", "query ($shop: ID!) { shop(id: $shop) { history { kind } } }", { shop });
  await wants("its history", () => history.map((h) => h.kind), ["STARTED", "SUBMITTED", "VERIFIED", "PUBLISHED", "SUSPENDED"]);
})().catch((e) => {
  console.error("FAIL:", e.message);
  process.exit(1);
});
