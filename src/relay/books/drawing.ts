import { auditOf, providerOf } from "../../ledger/provider-record.ts";
import { type Stake, stakeOf } from "../../ledger/stake.ts";
import { auditRate, mostRate } from "../../market/audit-rate.ts";
import { type AuditPolicy, PPM } from "../../protocol/audit-policy.ts";
import { drawnLeaves, drawSeed } from "../../protocol/draw.ts";
import { readBody, sealSync } from "../../protocol/envelope.ts";
import { header } from "../../protocol/header.ts";
import { MAX_DRAW_LEAVES } from "../../protocol/limits.ts";
import { type Draw, drawMessage } from "../../protocol/messages/audit.ts";
import { decodeEntryOf } from "../../protocol/messages/entry.ts";
import type { Receipt } from "../../protocol/messages/receipt.ts";
import type { Draft } from "./draft.ts";
import { epochSecret, presentEpoch } from "./epochs.ts";
import type { Court } from "./judging.ts";
import { entryHash, plainBytes } from "./native-hash.ts";
import { nativeHmac } from "./native-hmac.ts";
import type { LeaseState } from "./standing.ts";

/** What a draw is about to be made for: looked up before the entry changes it. */
export interface DrawBasis {
  readonly policy: AuditPolicy;
  readonly epoch: number;
  readonly stake: Stake;
  /** Everything is drawn: nobody but the provider speaks for it. */
  readonly isDisputed: boolean;
}

/**
 * What the draw of a receipt follows from, before the receipt is logged; opens the next epoch where the present one is
 * over. Nothing where the lease is not audited.
 */
export function drawBasis(
  draft: Draft,
  lease: LeaseState,
  receipt: Receipt,
  isDisputed: boolean,
): DrawBasis | undefined {
  const policy = auditOf(lease, draft);
  const tariff = draft.tariff(lease.terms.tariff);
  if (policy === undefined || tariff === undefined) return undefined;
  const stake = stakeOf(receipt, lease, providerOf(lease.terms.provider, draft), tariff);
  return { policy, epoch: presentEpoch(draft, policy).number, stake, isDisputed };
}

/** Leaves of an entry to be opened, less those that the provider has declared lost. */
export function drawAt(
  court: Court,
  draft: Draft,
  { policy, epoch, stake, isDisputed }: DrawBasis,
  leaseId: LeaseState["id"],
  index: number,
  lost: readonly number[],
): number | undefined {
  const entry = draft.entry(index);
  if (entry === undefined) throw new RangeError(`entry ${index} is not there`);
  const hash = entryHash(entry);
  const seed = drawSeed(epochSecret(draft, epoch), court.origin, index, hash, nativeHmac);
  const most = mostRate(stake.end - stake.first);
  const rate = (offset: number): number =>
    Math.min(most, isDisputed ? PPM : auditRate(policy, stake, offset));
  const gone = new Set(lost);
  const leaves = drawnLeaves(seed, stake.first, stake.end, rate, nativeHmac).filter(
    (leaf) => !gone.has(leaf),
  );
  return logDraw(court, draft, { policy, source: "relay", epoch, stake, leaseId, index, hash, leaves });
}

interface DrawParts {
  readonly policy: AuditPolicy;
  readonly source: Draw["source"];
  readonly epoch: number;
  readonly stake: Omit<Stake, "hasFailed">;
  readonly leaseId: LeaseState["id"];
  readonly index: number;
  readonly hash: Uint8Array;
  readonly leaves: readonly number[];
}

/** Logs a draw that names some leaf; one that names none needs no entry, since anybody can repeat it later. */
export function logDraw(court: Court, draft: Draft, parts: DrawParts): number | undefined {
  const { policy, source, epoch, stake, leaseId, index, hash } = parts;
  const leaves = parts.leaves.slice(0, MAX_DRAW_LEAVES);
  const lease = draft.lease(leaseId);
  if (leaves.length === 0 || lease === undefined) return undefined;
  const openBy = draft.time + lease.terms.openMs;
  const body: Draw = {
    ...header(court.origin, court.asset),
    lease: leaseId,
    entryIndex: index,
    entryHash: plainBytes(hash),
    epoch,
    source,
    policy: lease.terms.policy,
    n: stake.experience,
    bond: stake.bond,
    value: stake.value,
    first: stake.first,
    end: stake.end,
    leaves,
    openBy,
    verdictBy: openBy + policy.verdictMs,
  };
  const key = court.drawKey();
  const envelope = sealSync(drawMessage, body, key.peer, (message) => key.sign(message));
  const event = { type: "draw", lease: leaseId, leaves: leaves.length } as const;
  const draw = draft.append("draw", { envelope }, event);
  for (const leaf of leaves)
    draft.audits.setDraw({
      entry: index,
      leaf,
      lease: leaseId,
      draw,
      openBy,
      verdictBy: body.verdictBy,
    });
  return draw;
}

/** The draw envelope in an entry. */
export function drawEnvelope(entry: Uint8Array): Uint8Array {
  return decodeEntryOf("draw", entry).body.envelope;
}

/** The draw in an entry. */
export function drawIn(entry: Uint8Array): Draw {
  return readBody(drawMessage, drawEnvelope(entry));
}
