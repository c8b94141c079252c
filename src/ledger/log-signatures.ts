import { equalBytes } from "../protocol/bytes.ts";
import type { Cid } from "../protocol/cid.ts";
import { type Signatory, signatory } from "../protocol/delegation.ts";
import { type MessageType, openSignatures, readBody } from "../protocol/envelope.ts";
import { FailureError } from "../protocol/failure.ts";
import { assignMessage } from "../protocol/messages/assign.ts";
import { disputeMessage } from "../protocol/messages/audit.ts";
import type { KeyRotateBody, RelayKeys, TypedEntry } from "../protocol/messages/entry.ts";
import { jobMessage } from "../protocol/messages/job.ts";
import type { Lease } from "../protocol/messages/lease.ts";
import { payoutAddressMessage } from "../protocol/messages/payout.ts";
import { type Report, reportMessage } from "../protocol/messages/receipt.ts";
import { runEndMessage, runHoldersMessage, runMessage } from "../protocol/messages/run.ts";
import { keyFromPeerId, type PeerId } from "../protocol/peer-id.ts";
import { rotationMessage } from "../protocol/rotation.ts";
import { isSoundSignature, type SignatureClaim } from "../protocol/signature.ts";
import type { LedgerLookup } from "./ledger-state.ts";
import { mayCoordinate, type RunState } from "./run-rules.ts";

/** Delegations seen before, by session key, are not verified again. One for each start of a tab. */
type Delegations = Map<PeerId, Uint8Array>;

interface Signed {
  readonly by: readonly Signatory[];
  readonly claims: readonly SignatureClaim[];
}

function refuse(detail: string): never {
  throw new FailureError("bad-signature", detail);
}

/**
 * Which signatures the entries of a log stand on, and whether the right ones made them: the requester of a job, the relay's
 * key in force, the provider's instance and the requester's key that a lease names. Entries are shown in order, each after
 * the ledger took it. The claims are verified by the caller, when and where it likes: each must hold.
 */
export class LogSignatures {
  readonly #ledger: LedgerLookup;
  readonly #runs: (id: Cid) => RunState | undefined;
  readonly #delegations: Delegations = new Map();
  readonly #logKeys: PeerId[] = [];
  #keys: RelayKeys | undefined;
  #origin = "";

  /** @param runs those of the entries so far */
  constructor(ledger: LedgerLookup, runs: (id: Cid) => RunState | undefined = () => undefined) {
    this.#ledger = ledger;
    this.#runs = runs;
  }

  /** The relay's keys after the entries so far. */
  get keys(): RelayKeys | undefined {
    return this.#keys;
  }

  /** Every key that ever signed the log's checkpoints, oldest first. */
  get logKeys(): readonly PeerId[] {
    return this.#logKeys;
  }

  /** @throws FailureError `bad-signature`, `expired`, `malformed` when an entry is signed by somebody else, or by nobody. */
  claimsOf(entry: TypedEntry): readonly SignatureClaim[] {
    switch (entry.type) {
      case "policy":
        return this.#announced(entry.body);
      case "key-rotate":
        return [this.#rotated(entry.body)];
      case "escrow":
        return this.#job(entry.body.envelope, entry.time);
      case "run":
        return this.#run(entry.body.envelope, entry.time);
      case "lease":
        return this.#relays(entry.body.envelope, "lease", entry.time);
      case "payout-batch":
        return this.#relays(entry.body.envelope, "lease", entry.time);
      case "payout-address":
        return this.#byAccount(payoutAddressMessage, entry.body.envelope, entry.time);
      case "assign":
        return this.#byAccount(assignMessage, entry.body.envelope, entry.time);
      case "draw":
      case "verdict":
        return this.#relays(entry.body.envelope, "draw", entry.time);
      case "receipt":
        return this.#report(entry.body.envelope, entry.body.lease, entry.time);
      case "dispute":
        return this.#dispute(entry.body.envelope, entry.body.lease, entry.time);
      case "cancel":
      case "reveal":
      case "retire":
      case "key-revoke":
      case "api-key":
      case "api-key-revoke":
        return this.#open(entry.body.envelope, entry.time).claims;
      case "run-holders":
        return this.#runHolders(entry.body.envelope, entry.time);
      case "run-end":
        return this.#runEnd(entry.body.envelope, entry.time);
      case "deposit":
      case "grant":
      case "settle":
      case "release":
      case "vest":
      case "forfeit":
      case "unbond":
      case "reset":
      case "payout-prepare":
      case "payout":
      case "payout-cancel":
      case "transfer":
      case "retire-idle":
      case "epoch-open":
      case "bar":
        return [];
      default:
        return entry satisfies never;
    }
  }

  #announced({ origin, keys }: { readonly origin: string; readonly keys: RelayKeys }): readonly [] {
    const before = this.#keys;
    if (before !== undefined && (["log", "lease", "draw"] as const).some((key) => before[key] !== keys[key]))
      refuse("policy: names other keys than those in force");
    this.#origin = origin;
    this.#keys = keys;
    if (before === undefined) this.#logKeys.push(keys.log);
    return [];
  }

  #rotated({ purpose, previous, next, proof }: KeyRotateBody): SignatureClaim {
    if (this.#keys?.[purpose] !== previous)
      refuse(`key-rotate: replaces a ${purpose} key that is not in force`);
    const key = keyFromPeerId(previous);
    if (!isSoundSignature(key, proof)) refuse("key-rotate: the signature is not canonical");
    this.#keys = { ...this.#keys, [purpose]: next };
    if (purpose === "log") this.#logKeys.push(next);
    return { key, message: rotationMessage(this.#origin, purpose, next), signature: proof };
  }

  #job(envelope: Uint8Array, time: number): readonly SignatureClaim[] {
    const { by, claims } = this.#open(envelope, time);
    const { requester, payer, apiKey, run } = readBody(jobMessage, envelope);
    if (!by.some(({ root }) => root === requester)) refuse("job: its requester has not signed it");
    if (apiKey === undefined && run === undefined && !by.some(({ root }) => root === payer))
      refuse("job: its payer has not signed it");
    return claims;
  }

  /** Whoever pays for a run has signed it, or an api-key stands in its place. */
  #run(envelope: Uint8Array, time: number): readonly SignatureClaim[] {
    const { by, claims } = this.#open(envelope, time);
    const { initiator, payer, apiKey } = readBody(runMessage, envelope);
    for (const party of apiKey === undefined ? [initiator, payer] : [initiator])
      if (!by.some(({ root }) => root === party)) refuse(`run: ${party} has not signed it`);
    return claims;
  }

  #runHolders(envelope: Uint8Array, time: number): readonly SignatureClaim[] {
    const { by, claims } = this.#open(envelope, time);
    const run = this.#runOf(readBody(runHoldersMessage, envelope).run);
    if (by.length !== 1 || by[0]?.root !== run.terms.initiator)
      refuse("run-holders: not signed by the run's initiator alone");
    return claims;
  }

  #runEnd(envelope: Uint8Array, time: number): readonly SignatureClaim[] {
    const { by, claims } = this.#open(envelope, time);
    const run = this.#runOf(readBody(runEndMessage, envelope).run);
    const root = by.length === 1 ? by[0]?.root : undefined;
    if (root === undefined || (root !== run.terms.payer && !mayCoordinate(run, root)))
      refuse("run-end: signed by nobody who takes part");
    return claims;
  }

  #runOf(id: Cid): RunState {
    return this.#runs(id) ?? refuse("of a run that the log does not have");
  }

  /** What gives an account's money away is signed by the account itself, not by a session of it. */
  #byAccount(
    type: MessageType<{ readonly account: PeerId }>,
    envelope: Uint8Array,
    time: number,
  ): readonly SignatureClaim[] {
    const { by, claims } = this.#open(envelope, time);
    const { account } = readBody(type, envelope);
    if (by.length !== 1 || by[0]?.session !== account)
      refuse(`${type.name}: not signed by its account itself alone`);
    return claims;
  }

  #relays(envelope: Uint8Array, purpose: keyof RelayKeys, time: number): readonly SignatureClaim[] {
    const { by, claims } = this.#open(envelope, time);
    if (by.length !== 1 || by[0]?.session !== this.#keys?.[purpose])
      refuse(`not signed by the relay's ${purpose} key in force alone`);
    return claims;
  }

  /** Receipt and advance prove themselves; the report's own signature counts where it declares leaves lost. */
  #report(envelope: Uint8Array, lease: Cid, time: number): readonly SignatureClaim[] {
    const { lost, ...report } = readBody(reportMessage, envelope);
    const claims = this.#statement(report, lease, time);
    return lost.length === 0 ? claims : [...claims, ...this.#byInstance("report", envelope, lease, time)];
  }

  #dispute(envelope: Uint8Array, lease: Cid, time: number): readonly SignatureClaim[] {
    const claims = this.#statement(readBody(disputeMessage, envelope), lease, time);
    return [...claims, ...this.#byInstance("dispute", envelope, lease, time)];
  }

  #statement(
    { receipt, advance }: Pick<Report, "receipt" | "advance">,
    lease: Cid,
    time: number,
  ): readonly SignatureClaim[] {
    const requester = this.#open(advance, time);
    requireAlone("advance", requester, this.#terms(lease).requesterKey);
    return [...this.#byInstance("receipt", receipt, lease, time), ...requester.claims];
  }

  #byInstance(what: string, envelope: Uint8Array, lease: Cid, time: number): readonly SignatureClaim[] {
    const { instance, provider } = this.#terms(lease);
    const signed = this.#open(envelope, time);
    requireAlone(what, signed, instance, provider);
    return signed.claims;
  }

  #terms(id: Cid): Lease {
    return this.#ledger.lease(id)?.terms ?? refuse("of a lease that the log does not have");
  }

  #open(envelope: Uint8Array, time: number): Signed {
    const { signedBy, claims } = openSignatures(envelope);
    const by = signedBy.map((signed) => signatory(signed, time));
    return { by, claims: [...claims, ...by.flatMap((party) => this.#newDelegation(party))] };
  }

  #newDelegation({ session, delegation }: Signatory): readonly SignatureClaim[] {
    if (delegation === undefined) return [];
    const known = this.#delegations.get(session);
    if (known !== undefined && equalBytes(known, delegation.bytes)) return [];
    this.#delegations.set(session, delegation.bytes);
    return delegation.claims;
  }
}

function requireAlone(what: string, { by }: Signed, session: PeerId, root?: PeerId): void {
  const [party, ...more] = by;
  if (more.length > 0 || party?.session !== session || (root !== undefined && party.root !== root))
    refuse(`${what}: not signed by the key that the lease names`);
}
