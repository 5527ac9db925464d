// Follows events with a reference client, and begins again after every interruption, as the web
// application does: `node follow.mjs ws|sse PORT AFTER QUERY`.
//
// Writes a line of JSON for each item and for each connection. A line on standard input lets the
// connection break off.
import { createClient as createWsClient } from 'graphql-ws';
import { createClient as createSseClient } from 'graphql-sse';
import { createInterface } from 'node:readline';
import WebSocket from 'ws';

const PAUSE = 20; // milliseconds
const [transport, port, begin, query] = process.argv.slice(2);
let after = Number(begin);
let breakOff = () => {};

const say = (fact) => process.stdout.write(JSON.stringify(fact) + '\n');
const pause = () => new Promise((resolve) => setTimeout(resolve, PAUSE));

function webSocketClient() {
  return createWsClient({
    url: `ws://127.0.0.1:${port}/graphql`,
    webSocketImpl: WebSocket,
    retryAttempts: 0, // it would ask for the same again, not for what followed
    on: {
      connected: (socket) => {
        breakOff = () => socket.terminate();
        say({ connected: true });
      },
      closed: (event) => say({ closed: event.code, reason: event.reason }),
    },
  });
}

function eventStreamClient() {
  let broken;
  return createSseClient({
    url: `http://127.0.0.1:${port}/graphql`,
    retryAttempts: 0,
    fetchFn: async (url, init) => {
      broken = new AbortController();
      breakOff = () => broken.abort();
      return fetch(url, { ...init, signal: AbortSignal.any([init.signal, broken.signal]) });
    },
    on: { connected: () => say({ connected: true }) },
  });
}

createInterface({ input: process.stdin })
  .on('line', () => breakOff())
  .on('close', () => process.exit(0));

const client = transport === 'ws' ? webSocketClient() : eventStreamClient();
for (;;) {
  try {
    for await (const { data, errors } of client.iterate({ query, variables: { after } })) {
      if (errors) say({ errors });
      const item = data?.eventFeed;
      if (item?.position === undefined) continue;
      after = item.position;
      say({ position: after });
    }
    say({ ended: true });
  } catch (error) {
    say({ interrupted: error.message ?? error.reason ?? String(error) });
  }
  await pause();
}
