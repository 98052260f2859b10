// A shop: when and where, what is imposed on it, and what it sells.

import { h, p, type Child } from "./dom";
import type { Frame, View } from "./frame";
import { away, doorOf, initials, mapLink } from "./parts";
import { Trouble, type Mode, type Product, type Shop } from "./site";
import type { Word } from "./words";

const page = 24; // products at once

export function shopView(id: string, back?: View): View {
  return async (f) => {
    const { w, site } = f;
    const { shop } = await site.get("WidgetShop", { shop: id, first: page });
    if (!shop) throw new Trouble("NOT_FOUND");
    f.tell("shop-opened", { shop: shop.id });
    const { address, contact, regime, openingHours } = shop;
    const equipped = shop.accessibility.map((code) => w.code(code)).filter(Boolean).join(", ");
    const imposed = regime.because.length > 0;

    return [
      back && f.back(back),
      f.heading(0, { "data-land": true, dir: "auto" }, shop.name),
      p(h("span", { lang: "fr" }, shop.category.name), " · ", shop.commune.name),
      doorOf(w, shop.service),
      imposed &&
        h(
          "div",
          { class: "notice" },
          h("strong", {}, w.t("inForce")),
          regime.because.map(({ restriction }) => restriction && h("p", { lang: "fr" }, restriction.url ? h("a", { href: restriction.url }, restriction.title) : restriction.title)),
          !regime.visitors && p(w.t("noVisitors")),
          regime.density && p(w.t("density", { n: regime.density })),
          regime.conditions.map((condition) => h("p", { lang: "fr" }, condition)),
        ),
      shop.commune.ordersPausedText && h("div", { class: "notice" }, h("strong", {}, w.t("paused")), h("p", { lang: "fr" }, shop.commune.ordersPausedText)),
      shop.photos[0] && initials(site.base, shop.photos[0], shop.name),
      shop.description && h("p", { class: "words", dir: "auto" }, shop.description),
      shop.fulfilments.length
        ? h(
            "ul",
            { class: "plain" },
            shop.fulfilments.map((mode) =>
              h(
                "li",
                {},
                h("strong", {}, w.t(mode.mode)),
                " : " +
                  [
                    mode.leadMinutes < 600 && w.t("ready", { n: mode.leadMinutes }),
                    mode.mode === "DELIVERY" && (mode.fee.cents ? w.price(mode.fee.cents) : w.t("free")),
                    mode.minimum.cents && w.t("minimum", { price: w.price(mode.minimum.cents) }),
                    mode.perimeterMetres && w.t("within", { n: Math.round(mode.perimeterMetres / 100) / 10 }),
                  ]
                    .filter(Boolean)
                    .join(", "),
              ),
            ),
          )
        : p(w.t("noOrders")),
      h(
        "div",
        { class: "columns" },
        h("div", {}, f.heading(1, {}, w.t("hours")), hours(f, openingHours, shop)),
        h(
          "div",
          {},
          f.heading(1, {}, w.t("contact")),
          p(address.street, h("br"), `${address.postcode} ${address.city}`, h("br"), mapLink(w, shop)),
          contact.phone && p(h("a", { href: "tel:" + contact.phone }, dialled(contact.phone))),
          contact.email && p(h("a", { href: "mailto:" + contact.email }, contact.email)),
          contact.website && /^https?:/.test(contact.website) && p(away(contact.website, w.t("site"), { rel: "nofollow noopener" })),
          equipped && p(w.t("access"), " : ", equipped, "."),
        ),
      ),
      f.heading(1, {}, w.t("products")),
      shop.products.totalCount ? offer(f, shop) : p(w.t("noProducts")),
    ];
  };
}

/** A French number as it is dialled here: 02 97 00 00 00. */
function dialled(e164: string): string {
  return /^\+33\d{9}$/.test(e164) ? ("0" + e164.slice(3)).replace(/(\d\d)(?=\d)/g, "$1 ") : e164;
}

function hours({ w }: Frame, { weekly, exceptions }: Shop["openingHours"], { closures }: Shop): Child {
  const times = (intervals: { opens: string; closes: string }[]) => intervals.map(({ opens, closes }) => `${opens} – ${closes}`).join(", ") || w.t("closed");
  return [
    h(
      "table",
      {},
      h(
        "tbody",
        {},
        [1, 2, 3, 4, 5, 6, 7].map((day) => h("tr", {}, h("th", { scope: "row" }, w.weekday(day)), h("td", {}, times(weekly.filter(({ weekday }) => weekday === day))))),
      ),
    ),
    exceptions.length + closures.length > 0 && p(h("strong", {}, w.t("soon"))),
    h(
      "ul",
      { class: "plain" },
      exceptions.slice(0, 6).map(({ first, last, intervals, reason }) => h("li", {}, w.day(first) + (last === first ? "" : " – " + w.day(last)), " : ", times(intervals), reason && h("span", { lang: "fr" }, ` (${reason})`))),
    ),
  ];
}

/** The products, a page at a time. */
function offer(f: Frame, shop: Shop): Child {
  const { w, site } = f;
  const list = h("ul", { class: "cards" });
  const rest = p();
  let { nodes, pageInfo } = shop.products;
  const add = () => {
    const first = list.childElementCount;
    list.append(...nodes.map((product) => article(f, shop, product)));
    rest.replaceChildren(pageInfo.hasNextPage ? h("button", { id: "more", click: more }, w.t("more")) : "");
    return first;
  };
  const more = async () => {
    const from = pageInfo;
    try {
      const { shop: next } = await site.get("WidgetProducts", { shop: shop.id, first: page, after: from.endCursor });
      if (from !== pageInfo) return; // a second click: the first has brought them
      ({ nodes, pageInfo } = next!.products);
      const first = add();
      f.land(list.children[first]?.querySelector<HTMLElement>("[data-name]"));
    } catch (error) {
      if (from === pageInfo) rest.replaceChildren(f.trouble(error, more) as Node);
    }
  };
  add();
  return [list, rest];
}

function article(f: Frame, shop: Shop, product: Product): HTMLElement {
  const { w, site } = f;
  const { name, variants, photos } = product;
  const price = h("span", { class: "price" });
  const several = variants.length > 1;
  const choice = several && h<HTMLSelectElement>("select", { id: "v-" + product.id, change: draw });
  if (choice) choice.append(...variants.map(({ option, price, availability }, i) => h("option", { value: i, selected: i === variants.findIndex(({ availability }) => availability.orderable) }, `${option?.value ?? ""} · ${w.price(price.cents)}` + (availability.orderable ? "" : ` (${w.t(availability.because?.code ?? "OUT_OF_STOCK")})`))));
  const count = h<HTMLInputElement>("input", { id: "n-" + product.id, type: "number", inputmode: "numeric", min: 1, value: 1, "aria-label": w.t("quantityOf", { name }) });
  const button = h("button", { id: "a-" + product.id, class: "main", "aria-label": w.t("addOf", { name }), click: put }, w.t("add"));
  const no = h("p", { class: "no" });
  const buy = h("p", { class: "pair" }, count, button);
  const chosen = () => variants[choice ? Number(choice.value) : 0];
  function draw(): void {
    const variant = chosen();
    const can = variant?.availability.orderable && shop.fulfilments.length > 0;
    price.textContent = variant ? w.price(variant.price.cents) : "";
    buy.hidden = !can;
    no.textContent = can || !variant || variant.availability.orderable ? "" : w.t((variant.availability.because?.code ?? "OUT_OF_STOCK") as Word);
    if (variant?.availability.quantityUpTo) count.max = variant.availability.quantityUpTo < 5 ? String(variant.availability.quantityUpTo) : "";
  }
  function put(): void {
    const variant = chosen()!;
    const quantity = Math.max(1, Math.min(Number(count.max) || 99, Math.round(Number(count.value)) || 1));
    let part = site.basket.get(shop.id);
    if (!part) {
      const modes = shop.fulfilments.map(({ mode }) => mode as Mode);
      part = { shop: { id: shop.id, name: shop.name }, modes, mode: modes[0]!, slot: "", note: "", lines: [], said: [] };
      site.basket.set(shop.id, part);
    }
    const line = part.lines.find((line) => line.variant === variant.id);
    if (line) line.quantity += quantity;
    else part.lines.push({ variant: variant.id, name, option: variant.option?.value ?? "", cents: variant.price.cents, quantity });
    count.value = "1";
    site.changed();
    f.say(w.t("added", { name }));
    f.tell("basket-changed", { items: site.count });
  }
  draw();
  return h(
    "li",
    { class: "card" },
    photos[0] && initials(site.base, photos[0], name),
    h(
      "div",
      {},
      f.heading(2, { class: "name", dir: "auto", "data-name": true }, name),
      product.description && h("p", { class: "words", dir: "auto" }, product.description),
      p(price),
      choice && p(h("label", { for: choice.id }, variants[0]!.option?.name || w.t("variant")), choice),
      no,
      buy,
    ),
  );
}
