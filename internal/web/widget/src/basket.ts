// The basket over several shops: what it comes to, when, where to, for whom; and the order.

import type { Operations } from "halles";
import { h, p, type Child } from "./dom";
import type { Frame, View } from "./frame";
import { ordersView, watch } from "./order";
import { away, field } from "./parts";
import { Link, type Line, type Mode, type Part, type Site } from "./site";

type Quote = Operations["WidgetQuote"]["data"]["quoteBasket"];
type Slot = NonNullable<Operations["WidgetSlots"]["data"]["shop"]>["slots"][number];

// Who orders: kept while the page is, and given to nobody but the shops.
const who = { name: "", phone: "", email: "", street: "", postcode: "", city: "" };
let key = ""; // of the basket as it was last sent: a lost answer is fetched again, and nothing ordered twice
let sent = "";

const orders = (site: Site) =>
  [...site.basket.values()].map(({ shop, mode, slot, note, lines }) => ({
    shop: shop.id,
    mode,
    slot: slot || undefined,
    note: note.trim() || undefined,
    lines: lines.map(({ variant, quantity, cents }) => ({ variant, quantity, expectedCents: cents })),
  }));

const delivered = (site: Site) => [...site.basket.values()].some(({ mode }) => mode === "DELIVERY");
const address = () => ({ street: who.street.trim(), postcode: who.postcode.trim(), city: who.city.trim() });
const addressed = () => who.street.trim() && /^\d{5}$/.test(who.postcode.trim()) && who.city.trim();

export function basketView(back: View): View {
  return async function view(f: Frame): Promise<Child> {
    const { w, site } = f;
    f.bare = true;
    const head = () => [
      f.back(back),
      f.heading(0, { "data-land": true }, w.t("basket")),
    ];
    if (!site.basket.size) return [head(), p(w.t("basketEmpty"))];

    const list = orders(site);
    const where = delivered(site) && addressed() ? address() : undefined;
    const [{ quoteBasket: quote }, ...slots] = await Promise.all([
      site.post("WidgetQuote", { input: { orders: list, address: where } }),
      ...list.map(({ shop, mode }) => site.get("WidgetSlots", { shop, mode, first: 100 })),
    ]);

    for (const { lines } of quote.quotes) {
      for (const { variant, unitPrice } of lines) {
        for (const part of site.basket.values()) for (const line of part.lines) if (line.variant === variant?.id) line.cents = unitPrice.cents; // said below, where it changed
      }
    }
    return [
      head(),
      p(w.t("basketNote")),
      h("div", { id: "problems" }),
      h(
        "form",
        { class: "order", novalidate: true, submit: send },
        [...site.basket.values()].map((part, i) => section(f, view, part, quote.quotes[i]!, slots[i]!.shop?.slots ?? [])),
        delivered(site) &&
          h(
            "fieldset",
            { id: "where" },
            h("legend", {}, w.t("address")),
            text("street", "text", "address-line1"),
            text("postcode", "text", "postal-code"),
            text("city", "text", "address-level2"),
          ),
        h("fieldset", { id: "who" }, h("legend", {}, w.t("you")), text("name", "text", "name"), p(w.t("oneOf")), text("phone", "tel", "tel"), text("email", "email", "email")),
        p(w.t("total"), " : ", h("strong", {}, w.price(quote.total.cents))),
        p(w.t("privacy"), " ", away(site.base + "/confidentialite", w.t("rights"))),
        p(h("button", { id: "send", class: "main" }, w.t("order"))),
      ),
    ];

    function text(name: keyof typeof who, type: string, autocomplete: string): HTMLElement {
      return field(
        name,
        w.t(name),
        h("input", {
          type,
          autocomplete,
          value: who[name],
          maxlength: 200,
          required: name !== "phone" && name !== "email",
          input: (event: Event) => (who[name] = (event.target as HTMLInputElement).value),
          change: () => ["street", "postcode", "city"].includes(name) && addressed() && f.go(view, true),
        }),
      );
    }

    async function send(event: Event): Promise<void> {
      event.preventDefault();
      const problems = f.at("problems")!;
      const missing: [string, string][] = [];
      [...site.basket.values()].forEach((part, i) => {
        if (!part.slot && quote.quotes[i]!.modes.some((mode) => mode.mode === part.mode && mode.slotRequired)) missing.push(["slot-" + part.shop.id, w.t("needSlot") + ` (${part.shop.name})`]);
      });
      if (delivered(site) && !addressed()) missing.push(["street", w.t("needAddress")]);
      if (!who.name.trim()) missing.push(["name", w.t("needName")]);
      if (!who.phone.trim() && !who.email.trim()) missing.push(["phone", w.t("needReach")]);
      f.root.querySelectorAll("[aria-invalid]").forEach((field) => field.removeAttribute("aria-invalid"));
      if (missing.length) {
        problems.replaceChildren(
          h(
            "div",
            { class: "notice bad", role: "alert" },
            missing.map(([, text]) => p(text)),
          ),
        );
        missing.forEach(([id]) => f.at(id)?.setAttribute("aria-invalid", "true"));
        f.at(missing[0]![0])?.focus();
        return;
      }
      const button = f.at("send")!;
      if (button.getAttribute("aria-disabled")) return; // twice at once
      button.setAttribute("aria-disabled", "true");
      f.say(w.t("ordering"));
      const input = {
        orders: orders(site).map((order, i) => ({ ...order, expectedCents: quote.quotes[i]!.totals.total.cents })),
        address: delivered(site) ? address() : undefined,
        contact: { name: who.name.trim(), phone: who.phone.trim() || undefined, email: who.email.trim() || undefined },
        channel: "WIDGET" as const,
      };
      const now = JSON.stringify(input);
      if (now !== sent) {
        sent = now;
        key = [...crypto.getRandomValues(new Uint8Array(16))].join("-");
      }
      try {
        const { placeOrders: answer } = await site.post("WidgetPlaceOrders", { input: { idempotencyKey: key, ...input } });
        sent = "";
        const placed: string[] = [];
        for (const { shopId, order, refusals } of answer.results) {
          const part = site.basket.get(shopId)!;
          if (order) {
            placed.push(order.id);
            site.basket.delete(shopId);
            continue;
          }
          part.said = sentences(f, part, refusals);
          if (refusals.some(({ code }) => /SLOT|FULL|PAST|SOON/.test(code))) part.slot = "";
        }
        if (placed.length) {
          const link = new Link(answer.guestSecret!);
          site.links.push(link);
          f.tell("order-placed", { orders: placed.length });
          await watch(f, link, placed);
          await f.go(ordersView(back, w.t("thanks", { n: placed.length })));
        } else {
          await f.go(view);
        }
        site.changed();
      } catch (error) {
        problems.replaceChildren(f.trouble(error, () => void send(event)) as Node);
        f.land(problems.querySelector<HTMLElement>("[data-land]"));
      }
      button.removeAttribute("aria-disabled");
    }
  };
}

/** What the shop says no to, of which line, and what it could give; where time is the reason, when. */
function sentences({ w }: Frame, { lines }: Part, refusals: Quote["quotes"][number]["refusals"]): Part["said"] {
  return refusals.map(({ message, path, available, next }) => ({ text: message + (next ? ` ${w.when(next.start)}` : ""), line: lines[Number(path[path.indexOf("lines") + 1])], available }));
}

function section(f: Frame, view: View, part: Part, quote: Quote["quotes"][number], slots: Slot[]): HTMLElement {
  const { w, site } = f;
  const again = () => {
    if (!part.lines.length) site.basket.delete(part.shop.id);
    part.said = [];
    site.changed();
    f.tell("basket-changed", { items: site.count });
    void f.go(view, true);
  };
  const drop = (line: Line) => {
    part.lines = part.lines.filter((other) => other !== line);
    f.say(w.t("removed", { name: line.name }));
    again();
    f.land(f.root.querySelector<HTMLElement>("[data-land]")); // the button is gone
  };
  const id = part.shop.id;
  const name = (line: Line) => line.name + (line.option ? ` (${line.option})` : "");
  const free = slots.filter(({ refusal }) => !refusal);
  const required = quote.modes.some(({ mode, slotRequired }) => mode === part.mode && slotRequired);
  // What the visitor still has to choose is no refusal yet.
  const said = part.said.length
    ? part.said
    : sentences(f, part, quote.refusals.filter(({ code }) => code !== "SLOT_REQUIRED" && code !== "ADDRESS_REQUIRED"));
  return h(
    "fieldset",
    { id: "f-" + id },
    h("legend", { dir: "auto" }, part.shop.name),
    said.length > 0 &&
      h(
        "div",
        { class: "notice bad" },
        said.map(({ text, line, available }) => [
          h("p", { lang: "fr" }, text),
          line && available && available < line.quantity
            ? p(h("button", { type: "button", id: "take-" + line.variant, click: () => ((line.quantity = available), again()) }, w.t("take", { n: available })))
            : null,
        ]),
      ),
    h(
      "ul",
      { class: "plain lines" },
      part.lines.map((line) =>
        h(
          "li",
          {},
          h("span", { dir: "auto" }, name(line)),
          h("input", {
            id: "q-" + line.variant,
            type: "number",
            min: 1,
            max: 999,
            inputmode: "numeric",
            value: line.quantity,
            "aria-label": w.t("quantityOf", { name: name(line) }),
            change: (event: Event) => {
              const count = event.target as HTMLInputElement;
              line.quantity = Math.max(1, Math.min(999, Math.round(Number(count.value)) || 1));
              count.value = String(line.quantity);
              again();
            },
          }),
          h("span", { class: "price" }, w.price(line.cents * line.quantity)),
          h("button", { type: "button", class: "link", "aria-label": w.t("removeOf", { name: name(line) }), click: () => drop(line) }, w.t("remove")),
        ),
      ),
    ),
    part.modes.length > 1
      ? field(
          "mode-" + id,
          w.t("mode"),
          h(
            "select",
            {
              change: (event: Event) => {
                part.mode = (event.target as HTMLSelectElement).value as Mode;
                part.slot = "";
                again();
              },
            },
            part.modes.map((mode) => h("option", { value: mode, selected: mode === part.mode }, w.t(mode))),
          ),
        )
      : p(w.t(part.mode)),
    free.length || !required
      ? field(
          "slot-" + id,
          w.t("slot"),
          h(
            "select",
            { change: (event: Event) => ((part.slot = (event.target as HTMLSelectElement).value), again()) },
            h("option", { value: "" }, required ? "–" : w.t("asap")),
            free.map(({ start, end }) => h("option", { value: start, selected: start === part.slot }, `${w.when(start)} – ${w.time(end)}`)),
          ),
        )
      : p(w.t("noSlot")),
    field("note-" + id, w.t("note"), h("input", { type: "text", maxlength: 1000, value: part.note, input: (event: Event) => (part.note = (event.target as HTMLInputElement).value) })),
    p(quote.totals.delivery.cents > 0 && `${w.t("DELIVERY")} : ${w.price(quote.totals.delivery.cents)} · `, w.t("total"), " : ", h("strong", {}, w.price(quote.totals.total.cents))),
  );
}
