// Follows the orders of a basket as it happens: one event stream that resumes after its last event;
// where none comes through, they are asked for from time to time.

import type { Operations } from "halles";
import type { Link, Site } from "./site";

const silence = 40_000; // ms; the server says every 12 s that it is there
const shortest = 1_000;
const longest = 15_000;
const streams = 3; // at once, one for each basket: an HTTP/1.1 browser has six connections to a host, and the rest of the page needs some

const over = ["COLLECTED", "DELIVERED", "REJECTED", "CANCELLED", "NO_SHOW"];
let open = 0;

/** Calls read, which gives its status, for the order of each event, and lost when the stream breaks, until all are over. */
export async function follow(site: Site, link: Link, orders: string[], read: (order: string) => Promise<string>, lost: () => void): Promise<void> {
  let cursor: string | undefined;
  let wait = shortest;
  const left = new Set(orders);
  const look = async (order: string) => over.includes(await read(order)) && left.delete(order);
  while (left.size) {
    if (open < streams) {
      open++;
      try {
        for await (const event of events(site, link, orders, cursor)) {
          wait = shortest;
          if (event.errors) {
            const code = event.errors[0]?.extensions?.code;
            if (code === "UNAUTHENTICATED") link.ends = 0;
            if (code === "CURSOR_EXPIRED") cursor = undefined;
            break;
          }
          const { order, ...step } = event.data.ordersUpdated;
          await look(order.id);
          cursor = step.cursor; // read, it need not come again
          if (!left.size) return;
        }
      } catch {
        link.ends = 0; // perhaps the credential; a new one costs one request
      }
      open--;
    }
    await new Promise((done) => setTimeout(done, wait * (0.75 + Math.random() / 2)));
    wait = Math.min(2 * wait, longest);
    try {
      for (const order of left) await look(order);
    } catch {
      lost();
    }
  }
}

interface Event {
  data: Operations["WidgetFollowOrders"]["data"];
  errors?: { extensions?: { code?: string } }[];
}

async function* events(site: Site, link: Link, orders: string[], after?: string): AsyncGenerator<Event> {
  const abort = new AbortController();
  let watchdog = setTimeout(() => abort.abort(), silence);
  try {
    const answer = await fetch(site.address("WidgetFollowOrders", { orders, after }), {
      credentials: "omit",
      signal: abort.signal,
      headers: { Accept: "text/event-stream", Authorization: await site.guest(link) },
    });
    if (!answer.ok || !answer.body) throw answer.status;
    const reader = answer.body.getReader();
    const decoder = new TextDecoder();
    for (let text = ""; ; ) {
      const { done, value } = await reader.read();
      if (done) return;
      clearTimeout(watchdog);
      watchdog = setTimeout(() => abort.abort(), silence);
      text += decoder.decode(value, { stream: true });
      for (let end; (end = text.indexOf("\n\n")) >= 0; text = text.slice(end + 2)) {
        const data = /^data: (.+)$/m.exec(text.slice(0, end));
        if (data) yield JSON.parse(data[1]!);
      }
    }
  } finally {
    clearTimeout(watchdog);
    abort.abort();
  }
}
