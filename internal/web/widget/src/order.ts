// The orders that were placed on this page, step by step as they happen.

import { h, p, type Child } from "./dom";
import { follow } from "./follow";
import type { Frame, View } from "./frame";
import { away, mapLink, qr } from "./parts";
import type { Link, Order } from "./site";
import type { Word } from "./words";

const linkOf = new Map<string, Link>();

/** Reads the orders, and goes on following them. */
export async function watch(f: Frame, link: Link, ids: string[]): Promise<void> {
  const { site, w } = f;
  const read = async (id: string): Promise<string> => {
    linkOf.set(id, link);
    const { order } = await site.post("WidgetOrder", { order: id }, link);
    const before = site.orders.get(id);
    site.orders.set(id, order!);
    if (before && (before.status !== order!.status || !before.proposedChange !== !order!.proposedChange)) {
      const status = w.t(order!.status as Word);
      f.tell("order-status", { status: order!.status });
      f.say(w.t("news", { shop: order!.shop?.name ?? "", status }));
    }
    site.changed();
    return order!.status;
  };
  for (const id of ids) await read(id).catch(() => {}); // the stream, or the next look, brings it
  void follow(site, link, ids, read, () => f.say(w.t("offline")));
}

const roads: Record<string, string[]> = { PICKUP: ["PLACED", "ACCEPTED", "READY", "COLLECTED"], DELIVERY: ["PLACED", "ACCEPTED", "READY", "OUT_FOR_DELIVERY", "DELIVERED"] };

export function ordersView(back: View, thanks?: string): View {
  return (f) => {
    const { w, site } = f;
    const asking = new Set<string>(); // where the visitor is asked whether to cancel
    const content = (): Child => [
      f.back(back),
      f.heading(0, { "data-land": true, id: "title" }, w.t("orders")),
      thanks && h("p", { class: "notice good" }, thanks),
      thanks && site.basket.size > 0 && h("p", { class: "notice bad" }, w.t("some")),
      [...site.orders.values()].reverse().map((order) => slip(f, order, asking, draw)),
      site.links.map(({ secret }) => p(w.t("keep"), " : ", away(`${site.base}/commande#${secret}`, w.t("link")))),
    ];
    const draw = () => f.put(content(), true);
    f.onChange = draw;
    return content();
  };
}

function slip(f: Frame, order: Order, asking: Set<string>, draw: () => void): HTMLElement {
  const { w, site } = f;
  const { id, status, shop, pickupCode, slot, mode } = order;
  const name = shop?.name ?? "";
  const passed = new Set(order.history.map(({ status }) => status as string));
  const road = roads[mode]!;
  const steps = road.includes(status) ? road : [...road.filter((step) => passed.has(step)), status];
  const waits = road.includes(status) && status !== road[road.length - 1];
  const address = shop?.address;
  const cancel = async () => {
    asking.delete(id);
    try {
      const { cancelOrder: answer } = await site.post("WidgetCancelOrder", { input: { order: id, reason: "CHANGED_MIND" } }, linkOf.get(id));
      if (answer.refusals[0]) f.say(answer.refusals[0].message);
      const { order } = await site.post("WidgetOrder", { order: id }, linkOf.get(id));
      site.orders.set(id, order!);
      site.changed();
    } catch (error) {
      draw();
      f.say(f.sentence(error).text);
    }
    f.land(f.at("o-" + id));
  };
  return h(
    "section",
    { class: "card slip", "aria-labelledby": "o-" + id },
    f.heading(1, { id: "o-" + id, dir: "auto" }, name),
    p(w.t("number", { number: order.number }), " · ", w.t(mode as Word), slot && ` · ${w.t("expected", { time: `${w.when(slot.start)} – ${w.time(slot.end)}` })}`),
    h(
      "ol",
      { class: "steps", "aria-label": w.t("steps") },
      steps.map((step) => {
        const at = order.history.find((event) => event.status === step)?.at;
        const now = step === status;
        return h("li", { class: (now ? "now" : passed.has(step) ? "done" : "") + (now && !road.includes(step) ? " off" : ""), "aria-current": now && "step" }, h("span", {}, w.t(step as Word)), at && passed.has(step) ? h("small", {}, w.when(at)) : "");
      }),
    ),
    order.proposedChange && h("p", { class: "notice" }, away(`${site.base}/commande#${linkOf.get(id)!.secret}`, w.t("change", { time: w.when(order.proposedChange.until) }))),
    order.reasonText && h("p", { dir: "auto", class: "words" }, order.reasonText),
    waits &&
      pickupCode &&
      h("div", { class: "code" }, qr(pickupCode.qr, w.t("code") + " " + pickupCode.text), h("div", {}, p(w.t("code")), h("p", { class: "letters" }, pickupCode.text), p(w.t("codeHow")))),
    waits && mode === "PICKUP" && address && p(`${address.street}, ${address.postcode} ${address.city} `, shop && mapLink(w, shop)),
    h(
      "ul",
      { class: "plain" },
      order.lines.filter(({ quantity }) => quantity).map((line) => h("li", { dir: "auto" }, `${line.quantity} × ${line.name}${line.optionValue ? ` (${line.optionValue})` : ""} · ${w.price(line.total.cents)}`)),
    ),
    p(w.t("total"), " : ", h("strong", {}, w.price(order.totals.total.cents))),
    order.nextActions.includes("CANCEL") &&
      (asking.has(id)
        ? h(
            "p",
            { class: "pair" },
            h("button", { id: "yes-" + id, click: cancel }, w.t("sure")),
            h("button", { click: () => (asking.delete(id), draw(), f.at("c-" + id)?.focus()) }, w.t("keepIt")),
          )
        : p(h("button", { id: "c-" + id, class: "link", "aria-label": w.t("cancelOf", { name }), click: () => (asking.add(id), draw(), f.at("yes-" + id)?.focus()) }, w.t("cancel")))),
  );
}
