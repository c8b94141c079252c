import { Command } from "commander";
import fc from "fast-check";
import { expect, test } from "vitest";
import { RequestFields } from "../relay/gateway/request-fields.ts";
import { readTextParameters } from "../relay/gateway/text-parameters.ts";
import { addSamplingFlags, type SamplingFlags, samplingOf } from "./sampling-flags.ts";

function sampling(...flags: readonly string[]): ReturnType<typeof samplingOf> {
  const command = addSamplingFlags(new Command(), 64)
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  return samplingOf(command.parse(flags, { from: "user" }).opts<SamplingFlags>());
}

test("a text is the most likely one unless the flags say otherwise", () => {
  const greedy = { maxTokens: 64, temperature: 0, topK: 0, topP: 1, stop: [] };
  expect(sampling()).toEqual(greedy);
  expect(sampling("--top-k", "0", "--temperature", "0.7", "--top-p", "0.95", "--stop", "a", "b")).toEqual({
    ...greedy,
    temperature: 0.7,
    topP: 0.95,
    stop: ["a", "b"],
  });
});

test.each([
  ["--temperature", "100.001"],
  ["--temperature", "0.0001"],
  ["--top-p", "1.1"],
  ["--top-k", "-1"],
  ["--max-tokens", "0"],
  ["--seed", "1.5"],
])("%s %s is refused", (flag, value) => {
  expect(() => sampling(flag, value)).toThrow(/is not a number|whole number/u);
});

test("a seed is the same 32 bytes here and at the gateway", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10 ** 15 - 1 }), (seed) => {
      const there = readTextParameters(new RequestFields({ seed })).seed;
      expect(sampling("--seed", String(seed)).seed).toEqual(there);
    }),
  );
});
