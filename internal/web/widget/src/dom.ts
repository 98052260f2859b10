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
    if (typeof value === "function") element.addEventListener(name, value as EventListener);
    else if (value === true) element.setAttribute(name, "");
    else if (value != null && value !== false) element.setAttribute(name, String(value));
  }
  // What a page may style from outside is what we style ourselves.
  const part = [attributes.class, /^(button|input|select|fieldset|h\d)$/.test(element.localName) && element.localName].filter(Boolean).join(" ");
  if (part) element.setAttribute("part", part);
  element.append(...nodes(children));
  return element;
}

export function nodes(children: Child[]): (Node | string)[] {
  return children.flat(9).filter((child) => child != null && child !== false).map((child) => (typeof child === "number" ? String(child) : (child as Node | string)));
}
