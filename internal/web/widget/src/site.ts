// What the widgets of a page share: how they ask, the basket, the orders that are followed.

import type { Operations } from "halles";
import hashes from "documents"; // of the registered documents, by their numbers

type Name = Extract<keyof Operations, `Widget${string}`>; // the bundler makes numbers of them
type Variables<N extends Name> = Operations[N]["variables"];
type Data<N extends Name> = Operations[N]["data"];
export type Shop = NonNullable<Data<"WidgetShop">["shop"]>;
export type Product = Shop["products"]["nodes"][number];
export type Order = NonNullable<Data<"WidgetOrder">["order"]>;
export type Mode = "PICKUP" | "DELIVERY";

/** What went wrong: a code, and for people either a sentence of the API's or one of ours under E_code. */
export class Trouble extends Error {
  constructor(readonly code: string, readonly sentence = "") {
    super(sentence || code);
  }
}

export interface Line {
  variant: string;
  name: string;
  option: string;
  cents: number;
  quantity: number;
}

/** What is ordered at one shop. */
export interface Part {
  shop: { id: string; name: string };
  modes: Mode[];
  mode: Mode;
  slot: string;
  note: string;
  lines: Line[];
  said: { text: string; line?: Line; available?: number | null }[]; // why the shop refused
}

/** The link to the orders of one basket: in memory only. */
export class Link {
  token = "";
  ends = 0;
  constructor(readonly secret: string) {}
}

const patience = 20_000; // ms; then a request is given up
const slow = 4_000; // ms; then the visitor is told that it takes time

export class Site {
  readonly basket = new Map<string, Part>();
  readonly links: Link[] = []; // one for each basket that was ordered on this page
  readonly orders = new Map<string, Order>(); // as they were last read
  private readonly asked = new Map<string, Promise<unknown>>();
  private readonly listeners = new Set<() => void>();
  readonly onSlow: (() => void)[] = [];

  constructor(readonly base: string, readonly key: string, readonly commune: string) {}

  /** Calls back at each change of the basket or the orders. */
  watch(listener: () => void): void {
    this.listeners.add(listener);
  }

  changed(): void {
    for (const listener of this.listeners) listener();
  }

  get count(): number {
    let n = 0;
    for (const part of this.basket.values()) for (const line of part.lines) n += line.quantity;
    return n;
  }

  /** Asks by an address that caches may keep; the same question of two widgets at once is one. */
  get<N extends Name>(name: N, variables: Variables<N>): Promise<Data<N>> {
    const address = this.address(name, variables);
    let answer = this.asked.get(address);
    if (!answer) {
      answer = this.send(address, {}).finally(() => this.asked.delete(address));
      this.asked.set(address, answer);
    }
    return answer as Promise<Data<N>>;
  }

  address(name: Name, variables: object): string {
    return `${this.base}/graphql?` + new URLSearchParams({ documentId: hashes[name]!, variables: JSON.stringify(variables), key: this.key });
  }

  /** Asks with a body: what changes something, or holds what belongs in no address. */
  async post<N extends Name>(name: N, variables: Variables<N>, link?: Link): Promise<Data<N>> {
    const headers: Record<string, string> = { "Content-Type": "application/json", "X-Halles-Key": this.key };
    if (link) headers.Authorization = await this.guest(link);
    const body = JSON.stringify({ documentId: hashes[name], variables });
    return this.send(this.base + "/graphql", { method: "POST", headers, body }) as Promise<Data<N>>;
  }

  /** The credential of whoever holds a basket's link; good for half an hour, then fetched anew. */
  async guest(link: Link): Promise<string> {
    if (Date.now() > link.ends) {
      const { exchangeGuestLink: session } = await this.post("WidgetOpenLink", { input: { secret: link.secret } });
      link.token = "Bearer " + session.token;
      link.ends = Date.now() + 15 * 60_000; // by our own clock: half of it
    }
    return link.token;
  }

  private async send(address: string, init: RequestInit): Promise<unknown> {
    const late = setTimeout(() => this.onSlow.forEach((tell) => tell()), slow);
    try {
      const answer = await fetch(address, { credentials: "omit", signal: AbortSignal.timeout(patience), ...init });
      const { data, errors } = await answer.json();
      if (!errors) return data;
      const code = errors[0].extensions?.code ?? "";
      throw code === "PERSISTED_QUERY_NOT_FOUND" ? new Trouble("OLD") : new Trouble(code, errors[0].message);
    } catch (error) {
      throw error instanceof Trouble ? error : await this.diagnose();
    } finally {
      clearTimeout(late);
    }
  }

  /** A browser hides an answer from an origin that it is not for: a path that all may read says why. */
  private async diagnose(): Promise<Trouble> {
    try {
      const answer = await fetch(`${this.base}/widget/v1/check?key=` + encodeURIComponent(this.key), { credentials: "omit", signal: AbortSignal.timeout(slow) });
      const { code } = await answer.json();
      return new Trouble(code === "OK" ? "SLOW" : code);
    } catch {
      return new Trouble("DOWN");
    }
  }
}
