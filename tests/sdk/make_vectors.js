// Prints murmur3 vectors as the SDK computes them: `node make_vectors.js > ../vectors/murmur3.json`.
//
// `hash` is murmurhash-js's 32-bit answer, `unit` the SDK's share: hash / 4294967295.

"use strict";

const { createRequire } = require("node:module");
const shared = require("@ninetailed/experience.js-shared");

// The hash function that the SDK itself loads, wherever npm placed it.
const sdkRequire = createRequire(require.resolve("@ninetailed/experience.js-shared"));
const { murmur3 } = sdkRequire("murmurhash-js");

const HIGHEST_HASH = 4294967295;

const TEXTS = [
  "",
  "a",
  "ab",
  "abc",
  "abcd",
  "edgewise",
  "The quick brown fox jumps over the lazy dog",
  "x".repeat(300),
  "line\nbreak\ttab\u0000nul\u007f",
  "café",
  "ÿ-latin-1-end",
  "Ā",
  "ключ-профиля",
  "日本語のプロフィール",
  "e\u0301 is not é",
  "🦊",
  "👩‍👩‍👧‍👦 family",
  "𝒳𝒴𝒵",
];

const IDENTITIES = [
  ["hero", "visitor-1"],
  ["experience1", "123"],
  ["experience1", "456"],
  ["7aBcDeFgHiJkLmNoPqRsTu", "0".repeat(64)],
  ["7aBcDeFgHiJkLmNoPqRsTu", "0123456789abcdef".repeat(4)],
  ["größe", "besucherin-ß"],
  ["experiência", "visitante-🦊"],
];

function vector(text) {
  const hash = murmur3(text, 0);
  return { text, hash, unit: hash / HIGHEST_HASH };
}

// A text that the SDK builds from ids must get the number that the SDK returns for those ids.
function identityVectors([experienceId, stableId]) {
  const answers = {
    traffic: shared.getTrafficRandom({ stableId }, { id: experienceId }),
    distribution: shared.getDistributionRandom({ stableId }, { id: experienceId }),
  };
  return Object.entries(answers).map(([purpose, unit]) => {
    const made = vector(`${purpose}-${experienceId}-${stableId}`);
    if (made.unit !== unit) {
      throw new Error(`the SDK says ${unit} for ${made.text}, murmurhash-js ${made.unit}`);
    }
    return made;
  });
}

// ASCII only, so that no editor or transport can change a text.
function asciiJson(value) {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

const vectors = [...TEXTS.map(vector), ...IDENTITIES.flatMap(identityVectors)];
process.stdout.write(`[\n${vectors.map(asciiJson).join(",\n")}\n]\n`);
