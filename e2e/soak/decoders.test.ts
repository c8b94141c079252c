import { expect, it } from "vitest";
import { ENTRY_TYPES, entryBodies } from "../../src/protocol/messages/entry.ts";
import { makeCast } from "../../src/protocol/vectors/cast.contract.ts";
import { messageSamples, partSamples } from "../../src/protocol/vectors/catalogue.contract.ts";
import { tellStory } from "../../src/protocol/vectors/story.contract.ts";
import { draw } from "./chance.ts";
import { decoderSubjects, TRIED_ELSEWHERE } from "./decoder-subjects.ts";
import { findDecoders } from "./find-decoders.ts";
import { judgeBytes, mutation } from "./judge-bytes.ts";
import { goldenRows, wireSubjects } from "./wire-subjects.ts";

/** The soak makes twenty million. */
const MUTATIONS = 20_000;

it("every message type, schema and JSON shape of the source is among the decoders that are fuzzed", async () => {
  const decoders = await findDecoders();
  const cast = await makeCast();
  const story = await tellStory(cast);
  const tried = new Set<unknown>([
    ...messageSamples(cast, story).flatMap(({ type }) => [type, type.schema]),
    ...partSamples(story).map(({ schema }) => schema),
    ...Object.values(entryBodies),
    ...(await decoderSubjects(decoders)).map(({ decoder }) => decoder),
    ...TRIED_ELSEWHERE,
  ]);
  expect(decoders.length).toBeGreaterThan(60);
  expect(decoders.filter(({ value }) => !tried.has(value)).map(({ name }) => name)).toEqual([]);
  const entries = new Set(goldenRows("entries").map(({ type }) => type));
  expect(ENTRY_TYPES.filter((type) => !entries.has(type))).toEqual([]);
});

it("mutations of golden bytes are refused with a failure, or are the one spelling of what they say", async () => {
  const subjects = [...(await wireSubjects()), ...(await decoderSubjects(await findDecoders()))];
  for (const subject of subjects) expect(judgeBytes(subject, subject.golden), subject.name).toBe("accepted");
  const findings: string[] = [];
  for (let round = 0; round < MUTATIONS; round += 1) {
    const { subject, data } = mutation(subjects, draw("wire-fuzz", round));
    const verdict = judgeBytes(subject, data);
    if (verdict !== "accepted" && verdict !== "refused") findings.push(`${subject.name}: ${verdict.wrong}`);
  }
  expect(findings).toEqual([]);
});
