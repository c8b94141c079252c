import type { RelayClient } from "../mesh/relay-client.ts";
import { FailureError } from "../protocol/failure.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import { STANDING_AGE_MS } from "./limits.ts";

/** What the credibility of a provider's results rests on. */
export interface Standing {
  /** Audits passed. */
  readonly passed: number;
  readonly isBarred: boolean;
}

interface Known {
  readonly standing: Promise<Standing>;
  readonly at: number;
}

/** Of whom nothing is known. */
const NOBODY: Standing = { passed: 0, isBarred: false };

/** How the providers of a job stand at the relay: asked once, and again where more is wanted. */
export class Standings {
  readonly #client: Pick<RelayClient, "standing">;
  readonly #known = new Map<PeerId, Known>();

  constructor(client: Pick<RelayClient, "standing">) {
    this.#client = client;
  }

  /** @param isFresh what is known must not be older than STANDING_AGE_MS. A relay that is away leaves things as they were. */
  of(provider: PeerId, isFresh: boolean): Promise<Standing> {
    const known = this.#known.get(provider);
    if (known !== undefined && (!isFresh || performance.now() - known.at < STANDING_AGE_MS))
      return known.standing;
    const standing = this.#ask(provider, known?.standing);
    this.#known.set(provider, { standing, at: performance.now() });
    return standing;
  }

  async #ask(provider: PeerId, before: Promise<Standing> | undefined): Promise<Standing> {
    try {
      const { matched, barred } = await this.#client.standing(provider);
      return { passed: matched, isBarred: barred !== undefined };
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      return (await before) ?? NOBODY;
    }
  }
}
