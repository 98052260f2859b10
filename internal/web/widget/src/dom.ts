// Elements made one by one: no text is ever read as HTML.

export type Child = Node | string | number | null | undefined | false | Child[];
type Attributes = Record<string, unknown>;

/** Makes an element; an attribute that is a function listens, `true` is an empty one, null and false are left out. */
export function h<T extends HTMLElement = HTMLElement>(name: string, attributes: Attributes = {}, ...children: Child[]): T {
  return fill(document.createElement(name), attributes, children) as T;
}

/** A paragraph. */
export const p = (...children: Child[]): HTMLElement => h("p", {}, ...children);

const svgSpace = "http://www.w3.org/2000/svg";

/** Makes an element of a drawing. */
export function svg(name: string, attributes: Attributes, ...children: Child[]): SVGElement {
  return fill(document.createElementNS(svgSpace, name), attributes, children) as SVGElement;
}

function fill(element: Element, attributes: Attributes, children: Child[]): Element {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") listening(element)["on" + name] = value;
    else if (value === true) element.setAttribute(name, "");
    else if (value != null && value !== false) element.setAttribute(name, String(value));
  }
  // What a page may style from outside is what we style ourselves.
  const part = [attributes.class, /^(button|input|select|fieldset|h\d)$/.test(element.localName) && element.localName].filter(Boolean).join(" ");
  if (part) element.setAttribute("part", part);
  element.append(...nodes(children));
  return element;
}

const listening = (element: Element) => element as unknown as Record<string, unknown>;

/**
 * Makes of what stands there what was drawn anew, in its place: whoever types, chooses or stands on
 * something that stays is left alone. Same name and same id is the same thing.
 */
export function patch(old: Element, now: Element): void {
  // Where the focus was put, and what waits for an answer, is no drawing's.
  for (const { name } of [...old.attributes]) if (!now.hasAttribute(name) && !/^tabi|disabled/.test(name)) old.removeAttribute(name);
  for (const { name, value } of now.attributes) {
    if (old.getAttribute(name) === value || (name === "value" && old.matches(":focus"))) continue;
    old.setAttribute(name, value);
    if (name === "value") (old as HTMLInputElement).value = value;
  }
  for (const name of ["onclick", "oninput", "onchange", "onsubmit"]) listening(old)[name] = listening(now)[name];
  let at = old.firstChild;
  for (const child of [...now.childNodes]) {
    let same = at;
    while (same && (same.nodeName !== child.nodeName || (same as Element).id !== (child as Element).id)) same = same.nextSibling;
    if (!same) old.insertBefore(child, at);
    else {
      while (at !== same) at = gone(at!);
      at = same.nextSibling;
      if (child.nodeType === 1) patch(same as Element, child as Element);
      else if (same.nodeValue !== child.nodeValue) same.nodeValue = child.nodeValue;
    }
  }
  while (at) at = gone(at);
  if (old.localName === "select") (old as HTMLSelectElement).value = (now as HTMLSelectElement).value;
}

function gone(node: ChildNode): ChildNode | null {
  const next = node.nextSibling;
  node.remove();
  return next;
}

/** Sets a text as package french does: no line begins with a colon. */
export const set = (text: string): string => text.replace(/ (?=[:»])/g, "\u00a0").replace(/« /g, "«\u00a0").replace(/ (?=[;!?])/g, "\u202f");

export function nodes(children: Child[]): (Node | string)[] {
  return (children.flat(9).filter((child) => child || child === 0) as (Node | string)[]).map((child) => (typeof child === "string" ? set(child) : child)); // a number is appended as its text
}
