// The commune's shops: words, filters, cards, and products that are looked for.

import type { Operations } from "halles";
import { h, p, type Child } from "./dom";
import type { Frame } from "./frame";
import { doorOf, field, initials, mapLink } from "./parts";
import type { Mode } from "./site";
import { shopView } from "./shop";

type Data = Operations["WidgetShops"]["data"];
type Card = NonNullable<Data["commune"]>["shops"]["nodes"][number];

/** What is looked for; kept while the visitor looks at a shop. */
export interface Search {
  text: string;
  category: string; // id
  mode: Mode | "";
  openNow: boolean;
  limit: number;
  cards: boolean;
  filters: boolean;
}

export function listView(search: Search): (f: Frame) => Promise<Child> {
  let head: Data | undefined; // what stands around the list is asked for once
  let shops: Card[] = [];
  let total = 0;
  let next: string | null = null;
  let asked = 0;

  /** Asks for shops; false when something newer was asked meanwhile, by a second click or another filter. */
  async function ask(f: Frame, after?: string): Promise<boolean> {
    const turn = ++asked;
    const { text, category, mode, openNow } = search;
    const variables = {
      commune: f.site.commune,
      first: search.limit,
      filter: { text: text || undefined, category: category || undefined, fulfilment: mode || undefined, openNow: openNow || undefined },
    };
    let page;
    try {
      page = (head ? await f.site.get("WidgetMore", { ...variables, after }) : (head = await f.site.get("WidgetShops", variables))).commune!.shops;
    } catch (error) {
      if (turn === asked) throw error;
    }
    if (turn !== asked || !page) return false;
    shops = after ? [...shops, ...page.nodes] : page.nodes;
    total = page.totalCount;
    next = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
    return true;
  }

  return async function view(f: Frame): Promise<Child> {
    const { w, site } = f;
    await ask(f);
    const commune = head!.commune!;
    const results = h("div");
    const found = p();
    const rest = p();
    let list: HTMLElement;

    async function again(): Promise<void> {
      try {
        if (!(await ask(f))) return;
        draw();
        f.say(total ? w.t("found", { n: total }) : w.t("foundNone"));
      } catch (error) {
        results.replaceChildren(f.trouble(error, again) as Node);
      }
    }

    async function more(): Promise<void> {
      const first = shops.length;
      try {
        if (!(await ask(f, next!))) return;
        grow();
        f.land(list.querySelectorAll<HTMLElement>("[data-shop]")[first]);
      } catch (error) {
        rest.replaceChildren(f.trouble(error, more) as Node);
      }
    }

    /** Puts the shops that are new below those that stand there, which do not move. */
    function grow(): void {
      found.textContent = total ? w.t("found", { n: total }) : w.t("foundNone");
      list.append(...shops.slice(list.childElementCount).map((shop) => card(f, shop, view)));
      rest.replaceChildren(next ? h("button", { id: "more", click: more }, w.t("more")) : "");
    }

    function draw(): void {
      const shape = (cards: boolean, word: string) =>
        h("button", { id: cards ? "cards" : "rows", "aria-pressed": String(cards === search.cards), click: () => ((search.cards = cards), draw(), f.land(f.at(cards ? "cards" : "rows"))) }, word);
      list = h("ul", { class: search.cards ? "cards" : "rows" });
      grow();
      results.replaceChildren(search.filters ? h("div", { class: "pair" }, found, shape(true, w.t("cards")), shape(false, w.t("rows"))) : found, list, rest);
      if (search.text) void products();
    }

    async function products(): Promise<void> {
      const text = search.text;
      const { products } = await site.get("WidgetSearch", { filter: { text }, first: 12 });
      if (search.text !== text || !products.nodes.length) return;
      results.append(
        f.heading(1, {}, w.t("products")),
        p(w.t("productsFound", { n: products.totalCount })),
        h(
          "ul",
          { class: "rows" },
          ...products.nodes.map((product) =>
            h(
              "li",
              { class: "card" },
              h("button", { class: "link", dir: "auto", id: "p-" + product.id, click: () => f.go(shopView(product.shop.id, view)) }, product.name),
              h("span", {}, " " + w.t("at", { name: product.shop.name })),
              product.priceRange && h("span", { class: "price" }, w.price(product.priceRange.min.cents)),
            ),
          ),
        ),
      );
    }

    draw();
    f.tell("ready", { shops: total });
    return [
      f.heading(0, { "data-land": true }, w.t("shops", { name: commune.name })),
      commune.openingText && h("p", { lang: "fr" }, commune.openingText),
      commune.ordersPausedText && h("div", { class: "notice" }, h("strong", {}, w.t("paused")), h("p", { lang: "fr" }, commune.ordersPausedText)),
      search.filters && form(),
      results,
    ];

    function form(): Child {
      const change = (name: keyof Search, of: "value" | "checked") => (event: Event) => {
        (search as unknown as Record<string, unknown>)[name] = (event.target as HTMLInputElement)[of];
        if (name !== "text") void again();
      };
      const option = (value: string, chosen: string, text: string) => h("option", { value, selected: value === chosen }, text);
      const words = h<HTMLInputElement>("input", { id: "text", type: "search", maxlength: 200, autocomplete: "off", value: search.text, input: change("text", "value") });
      return h(
        "form",
        {
          role: "search",
          submit: (event: Event) => {
            event.preventDefault();
            void again();
          },
        },
        h("p", { class: "wide" }, h("label", { for: "text" }, w.t("search")), h("span", { class: "pair" }, words, h("button", { id: "find", class: "main" }, w.t("find")))),
        field(
          "category",
          w.t("category"),
          h(
            "select",
            { change: change("category", "value") },
            option("", search.category, w.t("all")),
            ...head!.categories.map((top) => h("optgroup", { label: top.name }, option(top.id, search.category, top.name), ...top.children.map((below) => option(below.id, search.category, "– " + below.name)))),
          ),
        ),
        field(
          "mode",
          w.t("mode"),
          h("select", { change: change("mode", "value") }, option("", search.mode, w.t("all")), option("PICKUP", search.mode, w.t("PICKUP")), option("DELIVERY", search.mode, w.t("DELIVERY"))),
        ),
        h("p", { class: "check" }, h("input", { id: "open", type: "checkbox", checked: search.openNow, change: change("openNow", "checked") }), h("label", { for: "open" }, w.t("openNow"))),
      );
    }
  };
}

/** A link that opens inside the widget; with a key held, the browser opens it as it always does. */
export function open(f: Frame, view: (f: Frame) => Promise<Child> | Child): (event: Event) => void {
  return (event) => {
    const { ctrlKey, metaKey, shiftKey } = event as MouseEvent;
    if (ctrlKey || metaKey || shiftKey) return;
    event.preventDefault();
    void f.go(view);
  };
}

function card(f: Frame, shop: Card, back: (f: Frame) => Promise<Child>): HTMLElement {
  const { w, site } = f;
  const { address } = shop;
  return h(
    "li",
    { class: "card" },
    initials(site.base, shop.photos[0], shop.name),
    h(
      "div",
      {},
      f.heading(
        1,
        { class: "name" },
        h("a", { id: "s-" + shop.id, "data-shop": true, dir: "auto", href: `${site.base}/boutique/${encodeURIComponent(site.commune)}/${shop.slug}`, click: open(f, shopView(shop.id, back)) }, shop.name),
      ),
      h("p", { lang: "fr" }, shop.category.name),
      doorOf(w, shop.service),
      p(`${address.street}, ${address.city}`, h("br"), mapLink(w, shop)),
      shop.fulfilments.length > 0 && h("p", { class: "modes" }, shop.fulfilments.map(({ mode }) => h("span", { class: "mode" }, w.t(mode)))),
    ),
  );
}
