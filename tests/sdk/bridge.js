// Calls the SDK's API clients for a test: one JSON request per line in, one JSON answer per line out.
//
//   {"build": "page", "data": {…}}                      → {"value": the event that the SDK builds}
//   {"client": "shared", "url": …, "clientId": …, "environment": …, "method": …, "arguments": […]}
//       → {"value": what the method resolves to, "exchange": the last request and its answer}
//   and {"error": message, "exchange": …} where the SDK throws.

"use strict";

const readline = require("node:readline");
const { shared, recordingClient, validate } = require("./sdk.js");

const BUILDERS = {
  page: shared.buildPageEvent,
  track: shared.buildTrackEvent,
  identify: shared.buildIdentifyEvent,
  component: shared.buildComponentViewEvent,
};

async function call(request) {
  const exchanges = [];
  const client = recordingClient(request, exchanges);
  try {
    const value = await client[request.method](...request.arguments);
    const exchange = exchanges.at(-1);
    validate(exchange.received);
    return { value, exchange };
  } catch (error) {
    return { error: error.message, exchange: exchanges.at(-1) };
  }
}

async function answer(request) {
  return request.build ? { value: BUILDERS[request.build](request.data) } : call(request);
}

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line)))}\n`);
  }
}

main();
