import { webcrypto } from "node:crypto";
import { SEED_BYTES, signerFromSeed } from "../../../protocol/ed25519.ts";
import { FailureError } from "../../../protocol/failure.ts";
import type { PeerId } from "../../../protocol/peer-id.ts";
import type { Signer } from "../../../protocol/signature.ts";
import type { StepOrder } from "../../../plan/runner-ports.ts";

/** More peers than any plan needs to be apart from each other on one machine; a quorum has 64 at most. */
const MOST_PEERS = 256;

/**
 * The peers of a run on this machine: keys of their own, made anew for each run, so that steps that must be apart are signed
 * apart, and a quorum has that many signatures. All of them compute here.
 */
export class LocalPeers {
  /** Whose run it is: signs what it coordinates. */
  readonly initiator: Signer;
  readonly #peers: Signer[] = [];
  /** Whose turn it is next. */
  #next = 0;

  private constructor(initiator: Signer) {
    this.initiator = initiator;
  }

  static async start(): Promise<LocalPeers> {
    return new LocalPeers(await freshSigner());
  }

  /** Keys that have been used to carry steps out. */
  get count(): number {
    return this.#peers.length;
  }

  /** Who carries a step out: one, or as many as its quorum asks. @throws FailureError `no-provider` */
  async forOrder({ place, provenance, peers }: StepOrder): Promise<readonly Signer[]> {
    const count = provenance.check === "quorum" ? provenance.n : 1;
    switch (place.at) {
      case "coordinator":
      case "initiator":
        return [this.initiator];
      case "peer":
        throw new FailureError(
          "no-provider",
          `the plan names the peer ${place.peer}, and nobody else is here`,
        );
      case "with": {
        const same = [this.initiator, ...this.#peers].filter(({ key }) => peers.includes(key));
        return same.length > 0 ? same.slice(0, 1) : this.#others([], count);
      }
      case "any":
      case "name":
      case "relay":
        return this.#others(peers, count);
      default:
        return place satisfies never;
    }
  }

  /** So many that are none of these, each in its turn. */
  async #others(without: readonly PeerId[], count: number): Promise<readonly Signer[]> {
    const free = (): readonly Signer[] => this.#peers.filter(({ key }) => !without.includes(key));
    while (free().length < count) {
      if (this.#peers.length >= MOST_PEERS)
        throw new FailureError("no-provider", `more than ${MOST_PEERS} peers that are apart from each other`);
      // oxlint-disable-next-line no-await-in-loop -- few, and in order
      this.#peers.push(await freshSigner());
    }
    const able = free();
    const first = this.#next;
    this.#next += count;
    return Array.from({ length: count }, (_, index) => able[(first + index) % able.length]).filter(
      (signer) => signer !== undefined,
    );
  }
}

function freshSigner(): Promise<Signer> {
  return signerFromSeed(webcrypto.subtle, webcrypto.getRandomValues(new Uint8Array(SEED_BYTES)));
}
