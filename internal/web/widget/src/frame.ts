// One widget on the page: its shadow, the view that it shows, and what it says aloud.

import { h, p, nodes, patch, set, type Child } from "./dom";
import { Trouble, type Site } from "./site";
import css from "./style.css";
import type { Word, Words } from "./words";

export type View = (f: Frame) => Promise<Child> | Child;

let sheet: CSSStyleSheet | undefined; // one for all: a strict policy lets it pass, a style element not

export class Frame {
  readonly root: ShadowRoot;
  private readonly body = h("div", { class: "w" });
  private readonly main = h("div");
  private readonly foot = h("div", { class: "foot" });
  private readonly ways = h("div");
  private readonly live = h("p", { role: "status" });
  private said = "";
  private view?: View;
  private turn = 0;
  small = false; // a badge
  bare = false;

  constructor(readonly host: HTMLElement, readonly site: Site, readonly w: Words, readonly level: number) {
    this.root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
    if (!sheet) {
      sheet = new CSSStyleSheet();
      sheet.replaceSync(css);
    }
    this.root.adoptedStyleSheets = [sheet];
    this.body.lang = w.lang;
    this.root.replaceChildren(this.body);
    this.body.append(this.main, this.foot);
    this.foot.append(this.live, this.ways);
    this.put(h("slot")); // what the page itself holds, until there is more
    site.onSlow.push(() => this.small || this.say(w.t("waiting")));
    site.watch(() => {
      this.bar();
      this.onChange?.();
    });
  }

  /** A heading, n below the first of the widget. */
  heading(n: number, attributes: Record<string, unknown>, ...text: Child[]): HTMLElement {
    return h("h" + Math.min(6, this.level + n), attributes, ...text);
  }

  /** The way back to a view. */
  back(view: View): HTMLElement {
    return p(h("button", { id: "back", class: "link", click: () => this.go(view) }, "← " + this.w.t("back")));
  }

  at(id: string): HTMLElement | null {
    return this.root.getElementById(id);
  }

  /** Says it, aloud too, without moving anybody. */
  say(text: string): void {
    this.live.textContent = "";
    this.said = text;
    setTimeout(() => (this.live.textContent = set(this.said)), 50); // the same sentence twice is said twice
  }

  /** Tells the page around it; never anything about a person. */
  tell(event: string, detail: object = {}): void {
    this.host.dispatchEvent(new CustomEvent("halles:" + event, { bubbles: true, composed: true, detail }));
  }

  /** Shows another view and leads there, to its heading; or, quietly, what is new in the one that is shown. */
  async go(view: View, quietly?: boolean): Promise<void> {
    const turn = ++this.turn;
    const stay = quietly && view === this.view;
    this.view = view;
    this.onChange = undefined;
    this.bare = this.small;
    if (!quietly) this.say(this.w.t("loading"));
    let content: Child;
    let failed = false;
    try {
      content = await view(this);
    } catch (error) {
      failed = true;
      content = this.trouble(error, () => this.go(view, stay));
    }
    if (this.turn !== turn) return; // the visitor went on meanwhile
    if (failed && stay) this.main.prepend(content as Node); // above what may be half filled in
    else this.put(content, stay);
    if (this.said === this.w.t("loading") || this.said === this.w.t("waiting")) this.said = this.live.textContent = "";
    if (quietly && (stay || !failed)) return;
    this.land(quietly ? null : this.root.querySelector<HTMLElement>("[data-land]"));
  }

  /** Draws the view's content; of the same view only what is new. */
  put(content: Child, same?: boolean): void {
    if (same) patch(this.main, h("div", {}, content));
    else this.main.replaceChildren(...nodes([content]));
    this.bar();
  }

  /** Puts the focus there, and brings it into sight. */
  land(on: HTMLElement | null | undefined): void {
    if (!on) return;
    if (!on.matches("a,button,input,select,textarea")) on.tabIndex = -1;
    on.focus();
  }

  onBasket = () => {};
  onOrders = () => {};
  onChange?: () => void; // of the view that is shown

  /** The ways to the basket and the orders, while there is something in them. */
  private bar(): void {
    const { site, w } = this;
    const there = site.count;
    patch(
      this.ways,
      h(
        "div",
        {},
        there > 0 && !this.bare && h("button", { id: "basket", class: "main", click: () => this.onBasket() }, w.t("basketOpen", { n: there })),
        site.orders.size > 0 && !this.onChange && !this.bare && h("button", { id: "orders", click: () => this.onOrders() }, w.t("ordersOpen")),
      ),
    );
  }

  sentence(error: unknown): { text: string; french: boolean } {
    if (!(error instanceof Trouble)) throw error; // a mistake of ours: the console has it
    this.tell("error", { code: error.code });
    const gone = error.code === "NOT_FOUND";
    return error.sentence && !gone ? { text: error.sentence, french: true } : { text: this.w.t(("E_" + (gone ? "GONE" : error.code)) as Word), french: false };
  }

  /** What went wrong in words, and the ways on. What the page itself holds stays in sight. */
  trouble(error: unknown, again: () => void): Child {
    const { text, french } = this.sentence(error);
    return h(
      "div",
      { class: "notice bad", role: "alert" },
      h("p", { lang: french && "fr", "data-land": true }, text),
      p(h("button", { id: "retry", click: again }, this.w.t("retry"))),
      p(h("a", { href: `${this.site.base}/widget/v1/shops.html?commune=` + encodeURIComponent(this.site.commune) }, this.w.t("plain"))),
      h("slot"),
    );
  }
}
