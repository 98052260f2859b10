// The shop widget of commune websites: its elements, and the same for sites that strip unknown ones.

import { badgeView } from "./badge";
import { basketView } from "./basket";
import { Frame, type View } from "./frame";
import { listView } from "./list";
import { ordersView } from "./order";
import { shopView } from "./shop";
import { Site, type Mode } from "./site";
import { words, type Words } from "./words";

const script = (document.currentScript as HTMLScriptElement).src;
const here = new URL(".", script).href; // the folder of this version: its languages lie beside it
const base = new URL(script).origin;

const sites = new Map<string, Site>(); // the widgets of a page with the same key share one
const languages = new Map<string, Promise<Words>>();
const begun = new WeakSet<HTMLElement>();

/** Begins a widget in an element: `of` reads its attributes, with `data-` or without. */
async function begin(host: HTMLElement, kind: string, prefix: string): Promise<void> {
  if (begun.has(host)) return;
  begun.add(host);
  const of = (name: string) => host.getAttribute(prefix + name)?.trim() ?? "";
  const key = of("key");
  const commune = of("commune") || key.split("_")[1] || "";
  const name = commune + " " + key;
  const site = sites.get(name) ?? new Site(base, key, commune);
  sites.set(name, site);
  const lang = (of("lang") || host.closest<HTMLElement>("[lang]")?.lang || "fr").slice(0, 2).toLowerCase();
  const spoken = languages.get(lang) ?? words(lang, here);
  languages.set(lang, spoken);

  const number = (text: string, least: number, most: number, otherwise: number) => Math.min(most, Math.max(least, Math.round(Number(text)) || otherwise));
  const shop = of("id") || of("shop") || null;
  let view: View;
  if (kind === "open-now") view = badgeView(shop);
  else if (kind === "shop") view = shopView(shop ?? "");
  else {
    const mode = of("mode").toUpperCase();
    const category = of("category");
    view = listView({
      text: "",
      category: category && (category.startsWith("category_") ? category : "category_" + category),
      mode: mode === "PICKUP" || mode === "DELIVERY" ? (mode as Mode) : "",
      openNow: false,
      limit: number(of("limit"), 1, 100, 12),
      cards: of("display") !== "list",
      filters: of("filters") !== "none",
    });
  }
  const frame = new Frame(host, site, await spoken, number(of("heading"), 1, 5, 2));
  frame.onBasket = () => frame.go(basketView(view));
  frame.onOrders = () => frame.go(ordersView(view));
  if (kind === "open-now") frame.small = true;
  await frame.go(view, true);
}

for (const kind of ["shops", "shop", "open-now"]) {
  customElements.define(
    "halles-" + kind,
    class extends HTMLElement {
      connectedCallback(): void {
        // At once the parser has not read what stands inside.
        void Promise.resolve().then(() => begin(this, kind, ""));
      }
    },
  );
}

function scan(): void {
  for (const element of document.querySelectorAll<HTMLElement>("[data-halles]")) void begin(element, element.dataset.halles!, "data-");
}

new MutationObserver(scan).observe(document.documentElement, { childList: true, subtree: true });
scan();
