// A minimal client of graphql-transport-ws (the protocol of the npm package graphql-ws): one
// subscription on one socket, followed across reconnects.

const fatal = new Set([4400, 4401, 4403, 4406, 4409]); // our mistake or our credential: to try again changes nothing
const silence = 30_000; // ms; the server pings every 12 s, so this long means that it is gone
const delays = [500, 1000, 2000, 4000, 8000]; // ms before a try; the last one repeats

// follow asks once and hands over what comes. `request()` gives {query, variables} anew at each
// connection, so that the caller can resume after its last event. It returns a function that stops.
export function follow(url, credentials, request, { onState, onNext, onErrors, onEnd }) {
  let socket, timer, watchdog, tries = 0, stopped = false;

  function connect() {
    onState("connecting");
    socket = new WebSocket(url, "graphql-transport-ws");
    socket.onopen = () => send({ type: "connection_init", payload: credentials });
    socket.onmessage = ({ data }) => receive(JSON.parse(data));
    socket.onclose = closed;
    listen();
  }

  function send(message) {
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  }

  function listen() {
    clearTimeout(watchdog);
    watchdog = setTimeout(() => socket.close(), silence);
  }

  function receive(message) {
    if (stopped) return;
    listen();
    switch (message.type) {
      case "connection_ack":
        tries = 0;
        onState("open");
        send({ id: "1", type: "subscribe", payload: request() });
        break;
      case "ping":
        send({ type: "pong" });
        break;
      case "next":
        onNext(message.payload);
        break;
      case "error":
        onErrors(message.payload);
        end();
        break;
      case "complete":
        onEnd();
        end();
        break;
    }
  }

  function closed({ code, reason }) {
    clearTimeout(watchdog);
    if (stopped) return;
    if (fatal.has(code)) {
      end();
      onState("refused", code, reason);
      return;
    }
    const delay = delays[Math.min(tries++, delays.length - 1)] * (0.75 + Math.random() / 2);
    onState("waiting", Math.round(delay / 100) / 10);
    timer = setTimeout(connect, delay);
  }

  function end() {
    stopped = true;
    clearTimeout(timer);
    clearTimeout(watchdog);
    socket.close(1000);
  }

  connect();
  return () => {
    if (stopped) return;
    send({ id: "1", type: "complete" });
    end();
    onState("stopped");
  };
}
