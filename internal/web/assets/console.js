// The query box of the home page.
import { follow } from "./live.js";

const byId = (id) => document.getElementById(id);
const { examples, tokens, guard } = JSON.parse(byId("console-data").textContent);
const who = byId("who"), query = byId("query"), variables = byId("variables"), run = byId("run"), stop = byId("stop");
const answers = new Map(); // data of the last answer of each example, for those that take from it
let current = null; // key of the example in the form, if it came from there
let stopFollowing = null;
let sessionToken = ""; // from an answer: a guest's session

const isSubscription = (text) => /^\s*subscription\b/.test(text.replace(/^\s*#.*$/gm, ""));
const at = (value, path) => path.split(".").reduce((v, step) => v?.[step], value);

function put(object, path, value) {
  const steps = path.split("."), last = steps.pop();
  for (const step of steps) object = object[step] ??= {};
  object[last] = value;
}

const random = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");

// set sets a text as package french does: no line begins with a colon.
const set = (text) => text.replace(/ (?=[:»])/g, "\u00a0").replace(/« /g, "«\u00a0").replace(/ (?=[;!?])/g, "\u202f");

function say(element, text, failed = false) {
  element.textContent = set(text);
  element.toggleAttribute("data-failed", failed);
}

// load fills the form with an example and with what it takes from earlier answers.
function load(example) {
  const values = structuredClone(example.variables ?? {});
  const taken = ({ example: source, path }) => at(answers.get(source), path) ?? undefined;
  const missing = (source) => {
    say(byId("status"), `Lancez d'abord « ${examples.find((e) => e.key === source).title} » : cet exemple continue avec sa réponse.`, true);
    byId("answer").textContent = "";
    return false;
  };
  for (const take of example.take ?? []) {
    const value = taken(take);
    if (value !== undefined) put(values, take.variable, value);
    else if (at(values, take.variable) === undefined) return missing(take.example);
  }
  for (const variable of example.fresh ?? []) put(values, variable, random());
  if (example.bearer) {
    const token = taken(example.bearer);
    if (token === undefined) return missing(example.bearer.example);
    sessionToken = token;
    if (!document.querySelector("#who option[value=session]")) who.add(new Option("Avec la session de la réponse précédente", "session"));
  }
  current = example.key;
  query.value = example.query;
  variables.value = Object.keys(values).length ? JSON.stringify(values, null, 2) : "";
  who.value = example.bearer ? "session" : example.role;
  for (const button of document.querySelectorAll("[data-example]")) {
    button.toggleAttribute("aria-current", false);
    if (button.dataset.example === example.key) button.setAttribute("aria-current", "true");
  }
  nameButton();
  return true;
}

function nameButton() {
  run.textContent = isSubscription(query.value) ? "Suivre" : "Exécuter";
}

function authorization() {
  const token = who.value === "session" ? sessionToken : tokens.find((t) => t.role === who.value)?.token;
  return token ? `Bearer ${token}` : "";
}

const inSession = () => who.value === "me";

// credentials is what connection_init says of who asks.
function credentials() {
  if (inSession()) return { "X-Halles-CSRF": guard };
  return authorization() ? { authorization: authorization() } : {};
}

function readVariables() {
  try {
    return variables.value.trim() ? JSON.parse(variables.value) : {};
  } catch (problem) {
    say(byId("status"), `Les variables ne sont pas du JSON : ${problem.message}`, true);
    byId("answer").textContent = "";
    variables.focus();
    return null;
  }
}

async function ask(values) {
  const from = current, answer = byId("answer"), status = byId("status");
  run.disabled = true;
  answer.setAttribute("aria-busy", "true");
  const started = performance.now();
  try {
    const headers = { "Content-Type": "application/json", Accept: "application/graphql-response+json, application/json" };
    if (authorization()) headers.Authorization = authorization();
    if (inSession()) headers["X-Halles-CSRF"] = guard;
    const credentials = inSession() ? "same-origin" : "omit"; // the browser's cookie only when asking as oneself
    const response = await fetch("/graphql", { method: "POST", headers, credentials, body: JSON.stringify({ query: query.value, variables: values }) });
    const text = await response.text();
    const took = Math.round(performance.now() - started);
    let body = null;
    try { body = JSON.parse(text); } catch { /* shown as it came */ }
    answer.textContent = body ? JSON.stringify(body, null, 2) : text;
    const failed = !response.ok || Boolean(body?.errors);
    say(status, `${failed ? "Refusé ou en erreur" : "Réussi"} : statut ${response.status}, ${took} ms, ${text.length.toLocaleString("fr")} caractères.`, failed);
    if (from && body?.data) answers.set(from, body.data);
  } catch (problem) {
    answer.textContent = "";
    say(status, `Le serveur n'a pas répondu : ${problem.message}`, true);
  } finally {
    run.disabled = false;
    answer.removeAttribute("aria-busy");
  }
}

// watch follows a subscription. Where the query has $after, a reconnect resumes after the last
// cursor that came.
function watch(values) {
  stopFollowing?.();
  const from = current, text = query.value, resumes = /\$after\b/.test(text);
  const events = byId("events"), status = byId("live-status");
  let received = 0;
  events.replaceChildren();
  byId("live").hidden = false;
  stop.hidden = false;
  const states = {
    connecting: () => say(status, "Connexion…"),
    open: () => say(status, "Connecté : les changements s'affichent ici, le plus récent en haut."),
    waiting: (seconds) => say(status, `Connexion perdue. Nouvel essai dans ${seconds} s.`, true),
    refused: (code, reason) => { say(status, `Le serveur a fermé le suivi (${code} ${reason}).`, true); done(); },
    stopped: () => { say(status, `Suivi arrêté après ${received} événement${received > 1 ? "s" : ""}.`); done(); },
  };
  const done = () => { stop.hidden = true; stopFollowing = null; };
  stopFollowing = follow(
    location.origin.replace(/^http/, "ws") + "/graphql", credentials(),
    () => ({ query: text, variables: values }),
    {
      onState: (state, ...about) => states[state](...about),
      onNext: (payload) => {
        received++;
        if (from && payload.data) answers.set(from, payload.data);
        const cursor = payload.data && Object.values(payload.data)[0]?.cursor;
        if (resumes && cursor) values = { ...values, after: cursor };
        const item = document.createElement("li"), shown = document.createElement("pre");
        shown.textContent = JSON.stringify(payload.data ?? payload, null, 2);
        item.append(new Date().toLocaleTimeString("fr"), shown);
        events.prepend(item);
      },
      onErrors: (errors) => { say(status, errors.map((e) => e.message).join(" "), true); done(); },
      onEnd: () => { say(status, "Le serveur a terminé le suivi."); done(); },
    });
}

function submit() {
  const values = readVariables();
  if (values === null) return;
  if (isSubscription(query.value)) watch(values);
  else ask(values);
}

byId("request").addEventListener("submit", (event) => { event.preventDefault(); submit(); });
byId("request").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); submit(); }
});
query.addEventListener("input", nameButton);
stop.addEventListener("click", () => { stopFollowing?.(); run.focus(); });
byId("examples").addEventListener("click", (event) => {
  const example = examples.find((e) => e.key === event.target.dataset?.example);
  if (!example || !load(example)) return;
  submit();
  // On a telephone the answer is far below the list.
  if (matchMedia("(max-width: 48rem)").matches) byId("request").scrollIntoView();
});
if (examples.length) load(examples[0]);
