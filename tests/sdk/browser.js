// Lives a visit with the browser SDK in a faked window: reads {url, clientId, environment} and the
// steps of the visit from stdin, prints what the page would see after each step.
//
//   {"steps": [{"method": "page", "arguments": []}, [{…}, {…}] (both at once), …], "stored": {…}}

"use strict";

const { text } = require("node:stream/consumers");
// Before the window is faked: packages look at it while they load.
const { Ninetailed } = require("@ninetailed/experience.js");
const { recordingFetch } = require("./sdk.js");

const PAGE = "https://shop.example.com/shoes?utm_source=newsletter&colour=red";

function fakeWindow() {
  const listeners = { addEventListener() {}, removeEventListener() {} };
  const faked = {
    window: { ...listeners, location: { href: PAGE } },
    document: { ...listeners, title: "Shoes", referrer: "https://search.example.com/" },
    navigator: { languages: ["de-DE"], language: "de-DE", userAgent: "Test Browser/1.0" },
  };
  for (const [name, value] of Object.entries(faked)) {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
}

function fakeStorage(stored) {
  const items = new Map(Object.entries(stored));
  return {
    items,
    getItem: (key) => items.get(key),
    setItem: (key, value) => items.set(key, value),
    removeItem: (key) => items.delete(key),
  };
}

async function main() {
  const { url, clientId, environment, steps, stored = {} } = JSON.parse(await text(process.stdin));
  fakeWindow();
  const exchanges = [];
  globalThis.fetch = recordingFetch(globalThis.fetch, exchanges);
  const storage = fakeStorage(stored);
  const ninetailed = new Ninetailed({ clientId, environment }, { url, storageImpl: storage });

  const seen = [];
  for (const step of steps) {
    const calls = [step].flat();
    const sentBefore = exchanges.length;
    const results = await Promise.all(
      calls.map(({ method, arguments: given }) => ninetailed[method](...given)),
    );
    const { status, profile, experiences, changes, error } = ninetailed.profileState;
    seen.push({
      results,
      state: { status, profile, experiences, changes, error: error && error.message },
      stored: Object.fromEntries(storage.items),
      exchanges: exchanges.slice(sentBefore),
    });
  }
  process.stdout.write(`${JSON.stringify(seen)}\n`);
}

main();
