import type { RelayContact } from "../ledger/relay-contact.ts";
import type { RelayClient } from "../mesh/relay-client.ts";
import { openEnvelope, seal, verified } from "../protocol/envelope.ts";
import { FailureError } from "../protocol/failure.ts";
import { header } from "../protocol/header.ts";
import { type Referee, refereeMessage, type Verdict, verdictMessage } from "../protocol/messages/audit.ts";
import { decodeEntryOf } from "../protocol/messages/entry.ts";
import type { Signer, Verify } from "../protocol/signature.ts";
import type { Vote } from "./ballot.ts";
import { layOpen } from "./lay-open.ts";
import type { LoggedReport } from "./lease-crew.ts";
import {
  REFEREE_LOG_TRIES,
  REFEREE_PATIENCE_MS,
  REFEREE_POLL_MAX_MS,
  REFEREE_POLL_MIN_MS,
} from "./limits.ts";
import { pause } from "./pause.ts";
import type { ShownOutcome } from "./requester-channel.ts";
import type { RequesterSession } from "./requester-session.ts";
import type { WorkItem } from "./work-queue.ts";

/** What recomputing says about an outcome; unknown where nobody could say, or the relay does not recompute. */
export type Finding = "match" | "mismatch" | "unknown";

export interface RefereePorts {
  readonly client: Pick<RelayClient, "referee" | "open" | "hasBlob" | "putBlob" | "entry" | "inclusion">;
  readonly contact: Pick<RelayContact, "info" | "keys" | "log">;
  readonly signer: Signer;
  readonly verify: Verify;
  /** Brings the newest receipt of a lease into the log. */
  readonly report: (session: RequesterSession) => Promise<LoggedReport | undefined>;
  readonly signal: AbortSignal;
}

/**
 * Has one outcome of a replica recomputed by the relay: reports its receipt, has it drawn, lays it open, and waits for the
 * verdict, which has to be in the log and signed. The provider is not asked, so it cannot hinder it.
 * @throws FailureError what kept it from being known; the signal's reason.
 */
export async function askReferee(ports: RefereePorts, vote: Vote, item: WorkItem): Promise<Finding> {
  const { session } = vote.member;
  const { channel } = session;
  const shown = channel.shown(vote.sent.seq);
  if (shown === undefined) return "unknown";
  const logged = await loggedWith(ports, session, shown);
  if (logged === undefined) return "unknown";
  const { origin, asset } = ports.contact.info;
  const question: Referee = {
    ...header(origin, asset),
    lease: channel.lease,
    entryIndex: logged.index,
    leaves: [shown.index],
  };
  const envelope = await seal(refereeMessage, question, [ports.signer]);
  const known = await ports.client.referee(envelope, ports.signal);
  if (known.leaves[0]?.verdict === undefined) {
    const { advance, body } = logged.material;
    const { count, taskCount } = body;
    const under = { entryIndex: logged.index, count, taskCount, advance };
    await layOpen(ports, under, { channel, shown, input: item });
  }
  const deadlineMs = performance.now() + REFEREE_PATIENCE_MS + 2 * channel.held.job.body.limits.deadlineMs;
  const at = await verdictEntry(ports, envelope, deadlineMs);
  if (at === undefined) return "unknown";
  const { result } = await verdictAt(ports, at, question, shown.index);
  return result === "match" || result === "mismatch" ? result : "unknown";
}

/** Reports until the log has the outcome. */
async function loggedWith(
  { report, signal }: RefereePorts,
  session: RequesterSession,
  { index }: ShownOutcome,
): Promise<LoggedReport | undefined> {
  for (let tries = 0; tries < REFEREE_LOG_TRIES; tries += 1) {
    if ((session.channel.report()?.body.count ?? 0) > index) {
      // oxlint-disable-next-line no-await-in-loop -- until the receipt is signed and logged
      const logged = await report(session);
      if (logged?.verified === true && logged.material.body.count > index) return logged;
    }
    // oxlint-disable-next-line no-await-in-loop
    await pause(REFEREE_POLL_MIN_MS, signal);
  }
  return undefined;
}

/** Asks until there is a verdict, less and less often. @param deadlineMs by performance.now() */
async function verdictEntry(
  { client, signal }: RefereePorts,
  envelope: Uint8Array,
  deadlineMs: number,
): Promise<number | undefined> {
  let waitMs = REFEREE_POLL_MIN_MS;
  while (performance.now() < deadlineMs) {
    // oxlint-disable-next-line no-await-in-loop -- until it is there
    const { leaves } = await client.referee(envelope, signal);
    const verdict = leaves[0]?.verdict;
    if (verdict !== undefined) return verdict;
    // oxlint-disable-next-line no-await-in-loop
    await pause(waitMs, signal);
    waitMs = Math.min(2 * waitMs, REFEREE_POLL_MAX_MS);
  }
  return undefined;
}

/** @throws FailureError `forged-checkpoint` or `bad-signature` unless the relay has logged and signed it about that outcome. */
async function verdictAt(
  { client, contact, verify, signal }: RefereePorts,
  at: number,
  { lease, entryIndex }: Referee,
  index: number,
): Promise<Verdict> {
  const [bytes, inclusion] = await Promise.all([client.entry(at, signal), client.inclusion(at, signal)]);
  await contact.log.checkInclusion(inclusion, bytes);
  const message = openEnvelope(verdictMessage, decodeEntryOf("verdict", bytes).body.envelope);
  const [by, ...more] = message.signedBy;
  if (more.length > 0 || by?.key !== contact.keys.draw)
    throw new FailureError("bad-signature", "verdict: not signed by the relay's draw key alone");
  const { body } = await verified(message, verify);
  if (body.lease !== lease || body.entryIndex !== entryIndex || body.index !== index)
    throw new FailureError("forged-checkpoint", "verdict: about another outcome");
  return body;
}
