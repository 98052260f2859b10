// Follows an order as it happens: an event stream that resumes after its last event; where none
// comes through, the order is asked for from time to time.

import type { Link, Site } from "./site";

const silence = 40_000; // ms; the server says every 12 s that it is there
const shortest = 1_000;
const longest = 15_000;
const streams = 4; // at once: an HTTP/1.1 browser has six connections to a host, and the rest of the page needs some

const over = ["COLLECTED", "DELIVERED", "REJECTED", "CANCELLED", "NO_SHOW"];
let open = 0;

/** Calls changed for each event, and lost when the stream breaks, until the order is over. */
export async function follow(site: Site, link: Link, order: string, changed: () => Promise<string>, lost: () => void): Promise<void> {
  let cursor: string | undefined;
  let wait = shortest;
  for (;;) {
    if (open < streams) {
      open++;
      try {
        for await (const event of events(site, link, order, cursor)) {
          wait = shortest;
          if (event.errors) {
            const code = event.errors[0]?.extensions?.code;
            if (code === "UNAUTHENTICATED") link.ends = 0;
            if (code === "CURSOR_EXPIRED") cursor = undefined;
            break;
          }
          const step = event.data.orderUpdated;
          cursor = step.cursor;
          if (over.includes(await changed())) return;
        }
      } catch {
        link.ends = 0; // perhaps the credential; a new one costs one request
      }
      open--;
    }
    await new Promise((done) => setTimeout(done, wait * (0.75 + Math.random() / 2)));
    wait = Math.min(2 * wait, longest);
    try {
      if (over.includes(await changed())) return;
    } catch {
      lost();
    }
  }
}

interface Event {
  data: { orderUpdated: { cursor: string } };
  errors?: { extensions?: { code?: string } }[];
}

async function* events(site: Site, link: Link, order: string, after?: string): AsyncGenerator<Event> {
  const abort = new AbortController();
  let watchdog = setTimeout(() => abort.abort(), silence);
  try {
    const answer = await fetch(site.address("WidgetFollowOrder", { order, after }), {
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
