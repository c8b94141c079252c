import { seal } from "../protocol/envelope.ts";
import { failureCode } from "../protocol/failure-code.ts";
import { header } from "../protocol/header.ts";
import { drainMessage } from "../protocol/messages/session.ts";
import type { Signer } from "../protocol/signature.ts";
import type { WorkOrder } from "./check-open.ts";

/** Why a provider stops its leases. The last two leave no time to sign anything. */
export type DrainReason = "draining" | "lease-ended" | "hidden" | "battery" | SuddenEnd;

/** The page's code is stopped in the middle: for a while, or for good. */
export type SuddenEnd = "frozen" | "closed";

const SUDDEN: readonly SuddenEnd[] = ["frozen", "closed"];

/** What a lease has come to when it is drained. */
interface Standing {
  /** Tasks with a lower seq were accepted. */
  readonly acceptedUpTo: number;
  readonly returned: readonly number[];
  /** The newest, as an envelope. */
  readonly receipt?: Uint8Array | undefined;
}

/** Seqs that a drain lists; it is for people, all without an outcome are returned. */
const MAX_LISTED = 4_096;

/** The envelope of a drain. */
export function signDrain(
  { lease }: WorkOrder,
  signer: Signer,
  reason: DrainReason,
  { acceptedUpTo, returned, receipt }: Standing,
): Promise<Uint8Array<ArrayBuffer>> {
  const drain = {
    ...header(lease.body.origin, lease.body.asset),
    lease: lease.id,
    instance: signer.key,
    code: failureCode(reason),
    acceptedUpTo,
    running: [],
    returned: returned.slice(0, MAX_LISTED),
    lost: [],
    ...(receipt === undefined ? {} : { receipt }),
  };
  return seal(drainMessage, drain, [signer]);
}

/**
 * Drains of one lease that are signed when it begins. WebCrypto answers in a later turn of the event loop, which a page that
 * is frozen or closed does not get; so there is a message for each such end that only has to be sent. It names no tasks:
 * all that have no outcome are returned.
 */
export class Farewell {
  readonly #signed = new Map<SuddenEnd, Uint8Array>();

  /** Signs them: two signatures for each lease. */
  async prepare(order: WorkOrder, signer: Signer): Promise<void> {
    await Promise.all(
      SUDDEN.map(async (reason) =>
        this.#signed.set(reason, await signDrain(order, signer, reason, { acceptedUpTo: 0, returned: [] })),
      ),
    );
  }

  /** The envelope to send; nothing where the lease began just now. */
  say(reason: SuddenEnd): Uint8Array | undefined {
    return this.#signed.get(reason);
  }
}
