import { FailureError } from "../../protocol/failure.ts";

/** Bytes of one call's body. */
export interface BodyShare {
  /** Before they are kept. @throws FailureError `rate-limited` where there is no room for them */
  take(bytes: number): void;
  /** Gives all back. Idempotent. */
  leave(): void;
}

/** Memory for the bodies of calls under way, counted as they come: what is announced and never sent takes nothing. */
export class BodyRoom {
  readonly #most: number;
  readonly #mostOfOne: number;
  readonly #held = new Map<string, number>();
  #all = 0;

  /** @param most bytes of all @param mostOfOne bytes of one owner's deployments */
  constructor(most: number, mostOfOne: number) {
    this.#most = most;
    this.#mostOfOne = mostOfOne;
  }

  open(owner: string): BodyShare {
    let own = 0;
    return {
      take: (bytes) => {
        const ofOwner = this.#held.get(owner) ?? 0;
        if (this.#all + bytes > this.#most || ofOwner + bytes > this.#mostOfOne)
          throw new FailureError("rate-limited", "too much is being sent to it; try again in a moment");
        this.#change(owner, bytes);
        own += bytes;
      },
      leave: () => {
        this.#change(owner, -own);
        own = 0;
      },
    };
  }

  #change(owner: string, bytes: number): void {
    this.#all += bytes;
    const left = (this.#held.get(owner) ?? 0) + bytes;
    if (left === 0) this.#held.delete(owner);
    else this.#held.set(owner, left);
  }
}
