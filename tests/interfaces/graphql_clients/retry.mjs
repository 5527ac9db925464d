// Follows with a reference client that tries again by itself: `node retry.mjs ws|sse PORT QUERY`.
//
// Writes a line of JSON for each item, and one for the end.
import { createClient as createWsClient } from 'graphql-ws';
import { createClient as createSseClient } from 'graphql-sse';
import WebSocket from 'ws';

const [transport, port, query] = process.argv.slice(2);
const options = {
  retryAttempts: 20,
  retryWait: () => new Promise((resolve) => setTimeout(resolve, 50)),
};
const say = (fact) => process.stdout.write(JSON.stringify(fact) + '\n');

const client =
  transport === 'ws'
    ? createWsClient({
        ...options,
        url: `ws://127.0.0.1:${port}/graphql`,
        webSocketImpl: WebSocket,
      })
    : createSseClient({ ...options, url: `http://127.0.0.1:${port}/graphql` });
try {
  for await (const { data, errors } of client.iterate({ query })) {
    say(errors ? { errors } : data);
  }
  say({ ended: true });
} catch (error) {
  say({ failed: error.message ?? error.reason ?? String(error) });
}
process.exit(0);
