import type { PeerId } from "../../protocol/peer-id.ts";

/** How much waits. */
export interface MailBytes {
  /** Plan, parameters and receipts. */
  readonly bytes: number;
  readonly valueBytes: number;
}

const NOTHING: MailBytes = { bytes: 0, valueBytes: 0 };

function plus(a: MailBytes, b: MailBytes): MailBytes {
  return { bytes: a.bytes + b.bytes, valueBytes: a.valueBytes + b.valueBytes };
}

/** How much there is of each account and of all, without counting again. */
export class MailSums {
  readonly #each = new Map<PeerId, MailBytes>();
  #all = NOTHING;

  /** @param more below zero for what is gone */
  add(payer: PeerId, more: Partial<MailBytes>): void {
    const change = { ...NOTHING, ...more };
    this.#all = plus(this.#all, change);
    const sum = plus(this.of(payer), change);
    if (sum.bytes === 0 && sum.valueBytes === 0) this.#each.delete(payer);
    else this.#each.set(payer, sum);
  }

  of(payer: PeerId): MailBytes {
    return this.#each.get(payer) ?? NOTHING;
  }

  all(): MailBytes {
    return this.#all;
  }
}
