// Keeps a page of orders up to date. Everything on it works without this: it only asks for the
// page again when the server says that something happened, and opens a link's fragment.

const form = document.querySelector("form[data-open]");
const secret = location.hash.slice(1);
if (secret) history.replaceState(null, "", location.pathname); // out of the bar: a screen is seen by others
if (secret && form) {
  form.elements.link.value = secret;
  form.submit();
} else if (secret) { // another link than the one that is open
  const open = document.createElement("form");
  open.method = "post";
  open.action = `${location.pathname}/ouvrir`;
  open.hidden = true;
  const field = document.createElement("input");
  field.name = "link";
  field.value = secret;
  open.append(field);
  document.body.append(open);
  open.submit();
} else if (document.body.dataset.live) {
  follow(document.body.dataset.live);
}

function follow(address) {
  const state = document.getElementById("live");
  let timer, waits = false;

  // Whoever is writing is left alone; the page comes when they are done.
  const busy = () => document.querySelector("#page details[open]") !== null ||
    [...document.querySelectorAll("#page input:not([type=hidden]), #page textarea")].some((field) => field.value !== field.defaultValue);

  async function refresh() {
    if (busy()) {
      waits = true;
      state.textContent = "du nouveau\u00a0: fermez ce que vous remplissez pour le voir";
      return;
    }
    waits = false;
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
    if (!answer?.ok || answer.redirected) {
      state.textContent = "rechargez la page";
      return;
    }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("page");
    if (!page || busy()) return;
    const focus = document.activeElement?.id;
    document.getElementById("page").replaceWith(document.adoptNode(page));
    if (focus) document.getElementById(focus)?.focus();
    state.textContent = "à jour, en direct";
  }

  const soon = () => { clearTimeout(timer); timer = setTimeout(refresh, 200); };
  const source = new EventSource(address);
  source.onopen = soon; // what happened between the page and the stream
  source.onmessage = soon;
  source.onerror = () => { state.textContent = "pas de liaison, nouvel essai…"; };
  document.addEventListener("toggle", () => { if (waits) soon(); }, true);
  addEventListener("pagehide", () => source.close());
}
