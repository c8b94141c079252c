import { afterEach, expect, test } from "vitest";
import { putTogether } from "../inference/host/models.contract.ts";
import { createMemoryNetwork } from "../mesh/memory-mesh.ts";
import { cidOf, DAG_CBOR, RAW } from "../protocol/cid.ts";
import { verifierOf } from "../protocol/ed25519.ts";
import { openEnvelope } from "../protocol/envelope.ts";
import { failureCode } from "../protocol/failure-code.ts";
import type { JobLimits } from "../protocol/messages/job.ts";
import { stepMessage } from "../protocol/messages/run.ts";
import { startSessionIdentity } from "../protocol/session-identity.ts";
import { encodeUtf8 } from "../protocol/text.ts";
import { fuel } from "../protocol/units.ts";
import { RunDesk } from "../provider/run-desk.ts";
import { seed } from "./lease-pair.contract.ts";
import { closePairs, openText, sendText, type Streaming, TEXT } from "./model-pair.contract.ts";

afterEach(closePairs);

const RUN = cidOf(DAG_CBOR, Uint8Array.of(1));
const STEP = { iteration: "", attempt: 0, parents: [], from: [], hold: false } as const;

async function open(
  limits: Partial<JobLimits> = {},
): Promise<{ readonly pair: Streaming; readonly desk: RunDesk }> {
  const them = await startSessionIdentity(crypto.subtle, { root: seed(4), session: seed(5) }, Date.now());
  const desk = new RunDesk({
    mesh: createMemoryNetwork().join(them.signer.key),
    relay: "/memory/p2p/relay",
    signer: them.signer,
    verify: verifierOf(crypto.subtle),
    relayRuns: { run: () => Promise.reject(new Error("nobody asks")) },
    now: () => Date.now(),
  });
  const job = { run: { id: RUN, node: "write", turn: 0 } };
  return { pair: await openText({}, limits, { job, provider: { runs: desk } }), desk };
}

test("a text that is a step is signed as a whole: its value is what was written, its fuel that of all segments", async () => {
  const { pair, desk } = await open();
  const { task, segments } = sendText(pair, TEXT, undefined, STEP);
  const answer = await task.answer;
  await task.final;
  const { segments: parts } = putTogether(segments);
  expect(parts.length).toBeGreaterThan(8);
  const text = encodeUtf8(parts.map((part) => part.text).join(""));
  const { body } = openEnvelope(stepMessage, answer.step?.envelope ?? new Uint8Array());
  expect(body).toMatchObject({
    run: RUN,
    node: "write",
    status: "done",
    result: cidOf(RAW, text),
    size: text.length,
    fuel: segments.reduce((sum, { outcome }) => sum + outcome.fuel, 0n),
  });
  // Whoever needs the text next gets it from its provider.
  expect(desk.find(cidOf(RAW, text))).toEqual(text);
});

test("a text that is a step fails as that where it runs out of fuel", async () => {
  const { pair } = await open({ fuel: fuel(2_000_000n) });
  const { task } = sendText(pair, TEXT, undefined, STEP);
  const answer = await task.answer;
  expect(answer.step?.body).toMatchObject({ status: "failed", code: failureCode("out-of-fuel") });
});
