// The SDK packages as the drivers use them, and the answers that they received, word for word.

"use strict";

const { createRequire } = require("node:module");
const shared = require("@ninetailed/experience.js-shared");
const nodeSdk = require("@ninetailed/experience.js-node");

// The Node SDK brings its own, older copy of the shared package.
const nodeRequire = createRequire(require.resolve("@ninetailed/experience.js-node"));
const olderShared = nodeRequire("@ninetailed/experience.js-shared");

const CLIENTS = {
  shared: shared.NinetailedApiClient,
  node: nodeSdk.NinetailedAPIClient,
};

/** A fetch that behaves like the given one and appends each exchange to `exchanges`. */
function recordingFetch(fetchImpl, exchanges) {
  return async (url, options = {}) => {
    const response = await fetchImpl(url, options);
    const text = await response.text();
    exchanges.push({
      method: options.method,
      url: String(url),
      contentType: options.headers?.["Content-Type"] ?? null,
      sent: options.body ? JSON.parse(options.body) : null,
      status: response.status,
      traceparent: response.headers.get("traceparent"),
      received: JSON.parse(text),
    });
    const { status, statusText, headers } = response;
    return new response.constructor(text, { status, statusText, headers });
  };
}

/** An API client of one package whose exchanges are recorded. */
function recordingClient({ client, url, clientId, environment }, exchanges) {
  const made = new CLIENTS[client]({ url, clientId, environment });
  // The Node SDK insists on a fetch of its own, so it can only be wrapped afterwards.
  const fetchImpl = made.fetchImpl;
  made.fetchImpl = recordingFetch((...request) => fetchImpl(...request), exchanges);
  return made;
}

/** Throws unless the answer passes the validation of both versions of the shared package. */
function validate(answer) {
  const schema = answer.data.profiles ? "UpsertManyProfilesResponse" : "CreateProfileResponse";
  for (const { [schema]: validator } of [shared, olderShared]) {
    validator.parse(answer);
  }
}

module.exports = { shared, recordingClient, recordingFetch, validate };
