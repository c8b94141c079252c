import { carryOut, type Bailiff } from "../../ledger/sentence.ts";
import type { Cid } from "../../protocol/cid.ts";
import type { Verified } from "../../protocol/envelope.ts";
import { FailureError } from "../../protocol/failure.ts";
import { requireOrigin } from "../../protocol/header.ts";
import type { Verdict } from "../../protocol/messages/audit.ts";
import type { ForfeitBody } from "../../protocol/messages/record-entries.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { AuditStore } from "../store/audit-rows.ts";
import type { Draft } from "./draft.ts";
import { drawIn } from "./drawing.ts";
import { type Court, jobIn, leaseIn } from "./judging.ts";
import { vest } from "./releasing.ts";
import { passOn, releaseFree, settleLease } from "./settling.ts";
import { bar } from "./rule-entries.ts";

/** Carries a sentence out in the books. */
class BooksBailiff implements Bailiff {
  readonly #draft: Draft;
  readonly #store: AuditStore;

  constructor(draft: Draft, store: AuditStore) {
    this.#draft = draft;
    this.#store = store;
  }

  lease(id: Cid): ReturnType<Draft["lease"]> {
    return this.#draft.lease(id);
  }

  provider(peer: PeerId): ReturnType<Draft["provider"]> {
    return this.#draft.provider(peer);
  }

  /** Those of the store that are not released by now, and those of this batch. */
  unreleased(provider: PeerId): readonly Cid[] {
    const own = [...this.#draft.leases.values()]
      .filter(({ terms }) => terms.provider === provider)
      .map(({ id }) => id);
    return [...new Set([...this.#store.unreleased(provider), ...own])].filter((id) => {
      const lease = this.#draft.lease(id);
      return lease !== undefined && (lease.state !== "settled" || lease.held > 0n);
    });
  }

  settle(lease: Cid): void {
    settleLease(this.#draft, lease, "void");
  }

  forfeit(body: ForfeitBody): void {
    const draft = this.#draft;
    draft.append("forfeit", body, { type: "forfeit", body });
    draft.countEarned(body.provider, 0n - body.refunded);
    const { job } = leaseIn(draft, body.lease);
    const { state, terms, unbound } = jobIn(draft, job);
    // A job whose time has passed gives its money back at once.
    if (state === "open" && terms.expires <= draft.time && unbound > 0n) releaseFree(draft, job);
    else passOn(draft, job);
  }

  bar(identity: PeerId, reason: string): void {
    if (this.#draft.barred(identity) === undefined) bar(this.#draft, identity, reason);
  }
}

function requireOwn(draft: Draft, { signedBy }: Verified<Verdict>): void {
  const [by, ...more] = signedBy;
  if (more.length > 0 || by?.key !== draft.policy?.keys.draw)
    throw new FailureError("bad-signature", "verdict: not signed by the relay's draw key alone");
}

/** A provider keeps what the relay's own draw may ask for, no more: of other draws nothing can be missing. */
function requireOwed(draft: Draft, drawIndex: number): void {
  const draw = draft.entry(drawIndex);
  if (draw === undefined || drawIn(draw).source !== "relay")
    throw new FailureError("malformed", "verdict: only what the relay has drawn can be missing");
}

/** Logs a verdict and what follows from it, once for each drawn leaf. @returns its entry. See Books.judge. */
export function judge(court: Court, draft: Draft, store: AuditStore, verdict: Verified<Verdict>): number {
  const { body } = verdict;
  requireOrigin(body, court.origin, court.asset);
  requireOwn(draft, verdict);
  const row = draft.audits.draw(body.entryIndex, body.index);
  if (row === undefined || row.lease !== body.lease)
    throw new FailureError("not-found", `leaf ${body.index} of entry ${body.entryIndex} was not drawn`);
  if (row.verdict !== undefined) return row.verdict;
  if (body.result === "missing") requireOwed(draft, row.draw);
  const index = draft.append(
    "verdict",
    { envelope: verdict.bytes },
    { type: "verdict", lease: body.lease, result: body.result },
  );
  draft.audits.setDraw({ ...row, verdict: index });
  carryOut(new BooksBailiff(draft, store), body.lease, body.result);
  vest(draft, body.lease);
  return index;
}
