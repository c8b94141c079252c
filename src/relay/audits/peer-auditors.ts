import { randomBytes, randomInt, webcrypto } from "node:crypto";
import { auditorKind } from "../../market/auditor-kind.ts";
import { type AuditPolicy, PPM } from "../../protocol/audit-policy.ts";
import { signerFromSeed } from "../../protocol/ed25519.ts";
import { encodeOutcome } from "../../protocol/messages/task.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { fuel } from "../../protocol/units.ts";
import type { AuditAnswer, AuditorRequester } from "./auditor-requester.ts";
import { ASK_PEER_MS, PEERS_AT_A_TIME } from "./limits.ts";
import { expectedLeaf, isOwnFailure, type Recomputation, WHOLE } from "./recompute.ts";
import type { WorkContent } from "./work-content.ts";

/** What another provider says of a drawn outcome. */
export interface PeerOpinion {
  readonly provider: PeerId;
  /** Leaf hash of the outcome as it has it. */
  readonly hash: Uint8Array;
  /** The relay computes it as well: so often an auditor is looked at, and cannot tell when. */
  readonly isChecked: boolean;
}

/** Providers that requesters of audits are kept from: those whose results they are about. */
export class KeptApart {
  readonly #from = new Map<PeerId, PeerId>();

  set(requester: PeerId, provider: PeerId): void {
    this.#from.set(requester, provider);
  }

  delete(requester: PeerId): void {
    this.#from.delete(requester);
  }

  /** Whose work this requester has computed again. */
  get(requester: PeerId): PeerId | undefined {
    return this.#from.get(requester);
  }
}

export interface PeerAuditorsParts {
  readonly requester: AuditorRequester;
  readonly content: WorkContent;
  readonly apart: KeptApart;
  /** A lot in [0, 10⁶) that nobody can foresee. */
  readonly lot?: () => number;
}

function drawLot(): number {
  return randomInt(PPM);
}

/**
 * Has drawn outcomes computed by providers of other owners, who get the task as a job like any other and never the claim
 * (rule 7). Only functions without clock and randomness, whose outcome does not depend on the task's seed, and only where
 * the requester lets its inputs be seen.
 */
export class PeerAuditors {
  readonly #parts: PeerAuditorsParts;
  readonly #stop = new AbortController();
  readonly lanes: number = PEERS_AT_A_TIME;

  constructor(parts: PeerAuditorsParts) {
    this.#parts = parts;
  }

  #lot(): number {
    return (this.#parts.lot ?? drawLot)();
  }

  /** Whether this outcome goes to a provider. @param recomputation of what is drawn */
  isWanted({ job }: Pick<Recomputation, "job">, policy: AuditPolicy): boolean {
    const isFit =
      job.verify.disclosure === "peers" && job.work.kind === "function" && job.work.abi === "bytes-1";
    return isFit && auditorKind(policy, this.#lot()) === "peer";
  }

  /** @param accused whose outcome it is. @returns nothing where no provider could tell. @throws ContentMissing, ContentTooLarge */
  async ask(
    recomputation: Recomputation,
    accused: PeerId,
    policy: AuditPolicy,
  ): Promise<PeerOpinion | undefined> {
    const { apart, content, requester } = this.#parts;
    const { job, input } = recomputation;
    const { module, args } = await content.function(job);
    const identity = new Uint8Array(randomBytes(32));
    const { key } = await signerFromSeed(webcrypto.subtle, identity);
    apart.set(key, accused);
    try {
      const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(ASK_PEER_MS)]);
      const order = { identity, module, entry: job.work.entry, args, input, limits: job.limits };
      const answer = await requester.compute(order, signal);
      const hash = answer === undefined ? undefined : hashOf(recomputation, answer);
      if (answer === undefined || hash === undefined) return undefined;
      return { provider: answer.provider, hash, isChecked: this.#lot() * policy.auditorCheckTasks < PPM };
    } finally {
      apart.delete(key);
    }
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#parts.requester.close();
  }
}

/** Nothing where it failed by its surroundings. */
function hashOf(recomputation: Recomputation, answer: AuditAnswer): Uint8Array | undefined {
  if (answer.kind === "failed" && !isOwnFailure(answer.code)) return undefined;
  const ended =
    answer.kind === "done"
      ? ({ kind: "done", outputCid: answer.outputCid, size: answer.size, fuel: fuel(answer.fuel) } as const)
      : ({ kind: "failed", code: answer.code, fuel: fuel(answer.fuel) } as const);
  return encodeOutcome(expectedLeaf(recomputation, ended, WHOLE)).hash;
}
