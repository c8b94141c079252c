import { replayEffect } from "../../effects/replay-effect.ts";
import { cidOf, RAW } from "../../protocol/cid.ts";
import { failureCode } from "../../protocol/failure-code.ts";
import { FailureError } from "../../protocol/failure.ts";
import {
  decodeCapability,
  type EffectEvidence,
  effectEvidenceSchema,
  type EffectPlace,
} from "../../protocol/messages/effect.ts";
import { decode } from "../../protocol/schema.ts";
import { fuel } from "../../protocol/units.ts";
import { sha256 } from "../books/native-hash.ts";
import { MOST_EVIDENCE_BYTES } from "./limits.ts";
import { expectedLeaf, type Recomputation, type Recomputed, type Recomputer, WHOLE } from "./recompute.ts";
import type { WorkContent } from "./work-content.ts";

/** An honest provider's outcome of an effect that was not its to do: refused, and nothing paid. */
const REFUSED = { kind: "failed", code: failureCode("effect-refused"), fuel: fuel(0) } as const;

/**
 * Follows effects from their records, without the network. What a server has said nobody can find out again; but a provider whose
 * record contradicts its own outcome, its step or its capability, or that made up time or randomness, has lied.
 */
export class EffectRecomputer implements Recomputer {
  readonly lanes = 4;
  readonly #content: Pick<WorkContent, "bytes">;

  constructor(content: Pick<WorkContent, "bytes">) {
    this.#content = content;
  }

  async recompute(recomputation: Recomputation): Promise<Recomputed> {
    const { job, claimed, effects } = recomputation;
    if (effects === undefined) return { kind: "unknown", why: "no record of the effect was shown" };
    const evidence = decode(effectEvidenceSchema, await this.#content.bytes(effects), MOST_EVIDENCE_BYTES);
    const isItsOwn =
      cidOf(RAW, evidence.capability, sha256) === job.work.cid &&
      cidOf(RAW, evidence.record, sha256) === claimed.effectsCid &&
      cidOf(RAW, evidence.value, sha256) === claimed.outputCid;
    if (!isItsOwn)
      return { kind: "unknown", why: "what was shown of the effect is not what its outcome names" };
    const problem = problemOf(recomputation, evidence);
    if (problem !== undefined)
      return { kind: "known", expected: expectedLeaf(recomputation, REFUSED, WHOLE) };
    const { outputCid, effectsCid } = claimed;
    if (outputCid === undefined || effectsCid === undefined)
      return { kind: "unknown", why: "the outcome names no value" };
    const ended = {
      kind: "done",
      outputCid,
      size: evidence.value.length,
      fuel: fuel(0),
      effectsCid,
    } as const;
    return { kind: "known", expected: expectedLeaf(recomputation, ended, WHOLE), output: evidence.value };
  }

  async stop(): Promise<void> {
    await Promise.resolve();
  }
}

function placeOf({ job, task }: Recomputation): EffectPlace | undefined {
  const { run } = job;
  const { step } = task;
  if (run === undefined || step === undefined) return undefined;
  return { run: run.id, node: run.node, iteration: step.iteration, attempt: step.attempt };
}

/** What is wrong with an effect whose parts are those that its provider has signed for; nothing where it follows. */
function problemOf(recomputation: Recomputation, evidence: EffectEvidence): string | undefined {
  const place = placeOf(recomputation);
  const { input, instance } = recomputation;
  try {
    replayEffect({
      capability: decodeCapability(evidence.capability),
      request: input,
      record: evidence.record,
      response: evidence.value,
      ...(instance === undefined ? {} : { signer: instance }),
      ...(place === undefined ? {} : { place }),
    });
    return undefined;
  } catch (error) {
    if (error instanceof FailureError) return error.detail;
    throw error;
  }
}
