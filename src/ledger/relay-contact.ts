import { FailureError } from "../protocol/failure.ts";
import { decodeEntry, decodeEntryOf, type EscrowBody, type RelayKeys } from "../protocol/messages/entry.ts";
import type { Inclusion } from "../protocol/messages/receipt.ts";
import type { RelayInfo } from "../protocol/relay-api.ts";
import { rotationHolds } from "../protocol/rotation.ts";
import type { Verify } from "../protocol/signature.ts";
import { createLogView, type LogView } from "./log-view.ts";

/** What is asked of a relay here; the HTTP client has these among others. */
export interface RelaySource {
  /** Where it is met, as in "https://relay.example"; pins are kept under it. */
  readonly baseUrl: string;
  info(): Promise<RelayInfo>;
  checkpoint(): Promise<string>;
  consistency(from: number, to: number): Promise<readonly Uint8Array[]>;
  keyRotations(): Promise<readonly number[]>;
  entry(index: number): Promise<Uint8Array>;
  inclusion(index: number): Promise<Inclusion>;
}

/** What is held against a relay from its first contact on. */
export interface PinnedRelay {
  readonly origin: string;
  readonly keys: RelayKeys;
  readonly pinnedAt: number;
  readonly checkpoint?: string;
}

/** Where pins are kept: IndexedDB in a tab, memory or a file elsewhere. */
export interface PinStore {
  /** Pins a relay unless it is pinned already; answers with the pin that holds. */
  pin(pin: PinnedRelay): Promise<PinnedRelay>;
  /** Changes the keys after rotations signed by the old ones, and keeps a verified checkpoint. */
  update(pin: PinnedRelay): Promise<void>;
  /** Ties a URL to the origin first met there; answers with the origin that holds. */
  bind(url: string, origin: string): Promise<string>;
}

/** A relay whose keys are those of the first contact, or follow from them by rotations its log proves. */
export interface RelayContact {
  readonly info: RelayInfo;
  readonly keys: RelayKeys;
  readonly log: LogView;
  /** The newest note believed, for hello. */
  note(): string | undefined;
}

function sameKeys(a: RelayKeys, b: RelayKeys): boolean {
  return a.log === b.log && a.lease === b.lease && a.draw === b.draw;
}

/** Follows key-rotate entries from the pinned keys on. @throws FailureError `forged-checkpoint`. */
async function rotated(
  source: RelaySource,
  log: LogView,
  pinned: RelayKeys,
  verify: Verify,
): Promise<RelayKeys> {
  const indices = await source.keyRotations();
  const entries = await Promise.all(indices.map((index) => source.entry(index)));
  const keys = { ...pinned, log: await log.rotate(entries) };
  for (const [at, bytes] of entries.entries()) {
    const { body } = decodeEntryOf("key-rotate", bytes);
    if (body.purpose === "log" || body.previous !== keys[body.purpose]) continue;
    // oxlint-disable-next-line no-await-in-loop -- each key is judged by the one before
    if (!(await rotationHolds(log.origin, body, verify))) {
      throw new FailureError(
        "forged-checkpoint",
        `the relay's ${body.purpose} key was replaced without its signature`,
      );
    }
    // oxlint-disable-next-line no-await-in-loop
    await log.checkInclusion(await source.inclusion(indices[at] ?? 0), bytes);
    keys[body.purpose] = body.next;
  }
  return keys;
}

/**
 * Contacts a relay: pins its keys the first time, holds it to them afterwards, and checks that its log only grew.
 * @param nowMs milliseconds since 1970, for the record.
 * @throws FailureError `forged-checkpoint` when keys or log contradict what is pinned; what `source` throws otherwise.
 */
export async function contactRelay(
  source: RelaySource,
  pins: PinStore,
  verify: Verify,
  nowMs: number,
): Promise<RelayContact> {
  const info = await source.info();
  const { origin, keys } = info;
  const bound = await pins.bind(source.baseUrl, origin);
  if (bound !== origin) {
    throw new FailureError(
      "forged-checkpoint",
      `this address was the relay ${bound} at first contact and now calls itself ${origin}`,
    );
  }
  let pin = await pins.pin({ origin, keys, pinnedAt: nowMs });
  const log = createLogView({
    origin,
    trusted: {
      logKey: pin.keys.log,
      ...(pin.checkpoint === undefined ? {} : { checkpoint: pin.checkpoint }),
    },
    fetchCheckpoint: () => source.checkpoint(),
    fetchConsistency: (from, to) => source.consistency(from, to),
    verify,
    async remember(checkpoint) {
      pin = { ...pin, checkpoint };
      await pins.update(pin);
    },
  });
  if (!sameKeys(keys, pin.keys)) {
    const trusted = await rotated(source, log, pin.keys, verify);
    if (!sameKeys(keys, trusted)) {
      throw new FailureError(
        "forged-checkpoint",
        `the relay ${origin} shows other keys than at first contact, and no signed rotation leads to them`,
      );
    }
    pin = { ...pin, keys: trusted };
    await pins.update(pin);
  }
  await log.refresh();
  return { info, keys, log, note: () => pin.checkpoint };
}

/**
 * Whether a job's escrow is in the log (rule 9).
 * @returns the escrow entry's body.
 * @throws FailureError `forged-checkpoint` when the proof does not hold, `insufficient-funds` when the entry is something else.
 */
export async function provenEscrow(source: RelaySource, log: LogView, index: number): Promise<EscrowBody> {
  const [inclusion, bytes] = await Promise.all([source.inclusion(index), source.entry(index)]);
  if (inclusion.index !== index)
    throw new FailureError("forged-checkpoint", "the relay proved another entry than was asked for");
  await log.checkInclusion(inclusion, bytes);
  if (decodeEntry(bytes).type !== "escrow")
    throw new FailureError("insufficient-funds", `entry ${index} is not an escrow`);
  return decodeEntryOf("escrow", bytes).body;
}
