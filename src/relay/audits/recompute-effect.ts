import type { Recomputed, Recomputer } from "./recompute.ts";
import type { WorkContent } from "./work-content.ts";

/** Follows effects from their records: nothing is fetched anew. */
export class EffectRecomputer implements Recomputer {
  readonly lanes = 4;
  readonly #content: WorkContent;

  constructor(content: WorkContent) {
    this.#content = content;
  }

  recompute(): Promise<Recomputed> {
    const shown = this.#content === undefined ? "nothing" : "no record";
    return Promise.resolve({ kind: "unknown", why: `${shown} of the effect was shown` });
  }

  async stop(): Promise<void> {
    await Promise.resolve();
  }
}
