// Small pieces that several views show.

import { h, p, svg, type Child } from "./dom";
import type { Words } from "./words";

interface Service {
  open: boolean;
  until: string | null;
  refusal: { next: { start: string } | null } | null;
}

/** Whether the door is open, in words and with a sign, never by colour alone. */
export function doorOf(w: Words, { open, until, refusal }: Service): HTMLElement {
  const next = refusal?.next;
  const text = open ? (until ? w.t("openUntil", { time: w.when(until) }) : w.t("open")) : next ? w.t("closedUntil", { time: w.when(next.start) }) : w.t("closed");
  return h("p", { class: open ? "door open" : "door" }, text);
}

/** A way to the place on a map, which opens on another site. */
export function mapLink(w: Words, { name, location: { latitude: y, longitude: x } }: { name: string; location: { latitude: number; longitude: number } }): HTMLElement {
  return away(`https://www.openstreetmap.org/?mlat=${y}&mlon=${x}#map=18/${y}/${x}`, w.t("map"), { "aria-label": w.t("mapOf", { name }) });
}

/** The photo, or the initials where there is none or the page's policy lets none pass. */
export function initials(base: string, photo: { smallUrl: string; alt?: string } | undefined, name: string): HTMLElement {
  const letters = () => h("span", { class: "photo", "aria-hidden": "true" }, name.match(/(?<![\p{L}\p{N}])[\p{L}\p{N}]/gu)?.slice(0, 2).join("").toUpperCase());
  if (!photo) return letters();
  const image = h("img", { class: "photo", src: base + photo.smallUrl, alt: photo.alt ?? "", loading: "lazy", error: () => image.replaceWith(letters()) });
  return image;
}

/** The server's QR symbol, drawn anew from its numbers: its text is never read as markup. */
export function qr(text: string, label: string): SVGElement | null {
  const box = /viewBox="([\d ]+)"/.exec(text);
  const dark = /<path d="([\dMhvz -]+)"/.exec(text);
  return box && dark && svg("svg", { viewBox: box[1], class: "qr", role: "img", "aria-label": label }, svg("path", { fill: "#fff", d: "M0 0h99v99H0z" }), svg("path", { fill: "#000", d: dark[1] }));
}

/** A link to another page, which opens beside this one: the basket and the orders of this one stay. */
export const away = (href: string, text: Child, attributes = {}): HTMLElement => h("a", { href, target: "_blank", rel: "noopener noreferrer", ...attributes }, text);

export function field(name: string, label: string, input: HTMLElement): HTMLElement {
  input.id = name;
  return p(h("label", { for: name }, label), input);
}
