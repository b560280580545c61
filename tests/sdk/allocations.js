// Creates profiles and prints for each what the server answered and what the SDK computes itself:
// reads {url, clientId, environment, experiences, visits, concurrency} from stdin. `experiences`
// are the SDK's ExperienceConfigurations, each visit is the events of one new profile.

"use strict";

const { text } = require("node:stream/consumers");
const { isExperienceMatch, selectDistribution } = require("@ninetailed/experience.js");
const { NinetailedApiClient } = require("@ninetailed/experience.js-shared");

function computedBySdk(experiences, profile) {
  const matching = experiences.filter((experience) => isExperienceMatch({ experience, profile }));
  return Object.fromEntries(
    matching.map((experience) => [experience.id, selectDistribution({ experience, profile }).index]),
  );
}

function answeredByServer(selected) {
  return Object.fromEntries(
    selected.map(({ experienceId, variantIndex }) => [experienceId, variantIndex]),
  );
}

async function main() {
  const given = JSON.parse(await text(process.stdin));
  const client = new NinetailedApiClient(given);
  const waiting = given.visits.entries();
  const outcomes = [];

  async function work() {
    for (const [visit, events] of waiting) {
      const { profile, experiences } = await client.createProfile({ events }, { timeout: 30_000 });
      outcomes[visit] = {
        stableId: profile.stableId,
        audiences: profile.audiences,
        answered: answeredByServer(experiences),
        computed: computedBySdk(given.experiences, profile),
      };
    }
  }

  await Promise.all(Array.from({ length: given.concurrency }, work));
  process.stdout.write(`${JSON.stringify(outcomes)}\n`);
}

main();
