import { expect, it } from "vitest";
import { referenceBackend } from "../reference/reference-backend.ts";
import { referenceEncoderBackend } from "../reference/reference-encoder.ts";
import { answerHash, answerOf, KNOWN_ANSWERS, type Question } from "./known-answer.ts";
import { sweepExpected } from "./sweep.contract.ts";

const reference = { ...referenceEncoderBackend, ...referenceBackend };

const MODELS: readonly Exclude<Question, "sweep">[] = [
  "long",
  "llama 8",
  "llama 4",
  "encoder 8",
  "encoder 4",
];

it("the known answers are the reference's", async () => {
  const answers: Partial<Record<Question, string>> = { sweep: answerHash(sweepExpected()) };
  // oxlint-disable-next-line no-await-in-loop -- so that the longest does not hide which one fails
  for (const question of MODELS) answers[question] = await answerOf(reference, question);
  expect(answers).toEqual(KNOWN_ANSWERS);
});
