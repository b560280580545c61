// Reports what a visitor does with components by the Insights plugin of the browser SDK: reads
// {url, clientId, environment, experienceId} from stdin, prints {profileId, requests}, where each
// request is {by: "fetch" or "beacon", url, contentType, sent, status}.

"use strict";

const { text } = require("node:stream/consumers");
// Before the window is faked: packages look at it while they load.
const { Ninetailed } = require("@ninetailed/experience.js");
const { NinetailedInsightsPlugin } = require("@ninetailed/experience.js-plugin-insights");
const analytics = require("@ninetailed/experience.js-plugin-analytics");

const QUEUE_LENGTH = 25;

async function record(requests, by, url, options) {
  const response = await fetch(url, options);
  requests.push({
    by,
    url: String(url),
    contentType: options.headers?.["Content-Type"] ?? options.body.type,
    sent: JSON.parse(typeof options.body === "string" ? options.body : await options.body.text()),
    status: response.status,
  });
  return response;
}

function fakeWindow(listeners, sendBeacon) {
  const target = { addEventListener: (name, call) => listeners.set(name, call) };
  const faked = {
    window: { ...target, location: { href: "https://shop.example.com/" } },
    document: { ...target, title: "Shop", referrer: "" },
    navigator: { languages: ["en"], language: "en", userAgent: "Test Browser/1.0", sendBeacon },
  };
  for (const [name, value] of Object.entries(faked)) {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
}

async function until(isDone) {
  while (!isDone()) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function main() {
  const { url, clientId, environment, experienceId } = JSON.parse(await text(process.stdin));
  const requests = [];
  const listeners = new Map();
  const pending = [];
  fakeWindow(listeners, (target, body) => {
    pending.push(record(requests, "beacon", target, { method: "POST", body }));
    return true;
  });
  const plainFetch = globalThis.fetch;
  const items = new Map();
  const storageImpl = {
    getItem: (key) => items.get(key),
    setItem: (key, value) => items.set(key, value),
    removeItem: (key) => items.delete(key),
  };
  const plugins = [new NinetailedInsightsPlugin({ url })];
  const ninetailed = new Ninetailed({ clientId, environment }, { url, storageImpl, plugins });
  await ninetailed.page();
  const profileId = ninetailed.profileState.profile.id;

  globalThis.fetch = (target, options) => {
    globalThis.fetch = plainFetch;
    return record(requests, "fetch", target, options);
  };
  const shown = (variantIndex) => ({
    experience: { id: experienceId, type: "nt_experiment" },
    variant: { id: `hero-${variantIndex}` },
    variantIndex,
    componentType: "Entry",
  });
  const element = {};
  const act = (type, members) => ninetailed.instance.dispatch({ type, element, ...members });
  await ninetailed.trackComponentView({ element, ...shown(1) });
  await act(analytics.HAS_HOVERED_ELEMENT, { ...shown(1), hoverDurationMs: 2100.5, hoverId: "h" });
  for (let clicks = 0; clicks < QUEUE_LENGTH - 2; clicks += 1) {
    await act(analytics.HAS_CLICKED_ELEMENT, shown(1));
  }
  await until(() => requests.length === 1);

  await ninetailed.trackComponentView({ element: {}, ...shown(0) });
  await ninetailed.trackVariableComponentView({
    variable: true,
    variant: { id: "flag" },
    variantIndex: 0,
    experienceId,
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  listeners.get("pagehide")();
  await until(() => pending.length === 1);
  await Promise.all(pending);
  process.stdout.write(`${JSON.stringify({ profileId, requests })}\n`);
  process.exit(0);
}

main();
