import { microCredits } from "../protocol/units.ts";
import { transfer } from "./account.ts";
import type { Change, Event, Place } from "./change.ts";
import type { LedgerEvent } from "./ledger-event.ts";
import { found } from "./found.ts";
import type { LedgerLookup } from "./ledger-state.ts";
import { anew, judged, providerOf } from "./provider-record.ts";

type AuditEvent = Extract<
  LedgerEvent,
  { type: "draw" | "verdict" | "forfeit" | "vest" | "unbond" | "retire" | "reset" }
>;

function forfeited({ body }: Event<"forfeit">, ledger: LedgerLookup): Change {
  const lease = found(ledger.lease(body.lease), "lease");
  const job = found(ledger.job(lease.job), "job");
  const { provider: peer } = lease.terms;
  const before = providerOf(peer, ledger);
  return {
    postings: [
      ...transfer({ kind: "held", peer }, { kind: "escrow", job: job.id }, body.refunded),
      ...transfer({ kind: "bond", peer }, { kind: "burnt" }, body.burnt),
    ],
    lease: {
      ...lease,
      held: microCredits(lease.held - body.refunded),
      forfeited: microCredits(lease.forfeited + body.refunded),
    },
    job: {
      ...job,
      unbound: microCredits(job.unbound + body.refunded),
      spent: microCredits(job.spent - body.refunded),
      state: job.state === "closed" && body.refunded > 0n ? "closing" : job.state,
    },
    provider: {
      ...before,
      held: microCredits(before.held - body.refunded),
      bond: microCredits(before.bond - body.burnt),
    },
  };
}

function vested({ body }: Event<"vest">, ledger: LedgerLookup): Change {
  const lease = found(ledger.lease(body.lease), "lease");
  const { provider: peer } = lease.terms;
  const before = providerOf(peer, ledger);
  const held = { kind: "held", peer } as const;
  const sum = body.released + body.bonded;
  return {
    postings: [
      ...transfer(held, { kind: "available", peer }, body.released),
      ...transfer(held, { kind: "bond", peer }, body.bonded),
    ],
    lease: { ...lease, held: microCredits(lease.held - sum) },
    provider: {
      ...before,
      held: microCredits(before.held - sum),
      bond: microCredits(before.bond + body.bonded),
    },
  };
}

function unbonded({ body }: Event<"unbond">, ledger: LedgerLookup): Change {
  const { provider: peer, amount } = body;
  const { retiring: _retiring, ...before } = providerOf(peer, ledger);
  return {
    postings: transfer({ kind: "bond", peer }, { kind: "available", peer }, amount),
    provider: { ...anew(before), bond: microCredits(before.bond - amount) },
  };
}

function verdictOn({ lease: id, result }: Event<"verdict">, ledger: LedgerLookup): Change {
  const lease = found(ledger.lease(id), "lease");
  return {
    postings: [],
    lease: { ...lease, judged: lease.judged + 1 },
    provider: judged(providerOf(lease.terms.provider, ledger), result),
  };
}

function drawn({ lease: id, leaves }: Event<"draw">, ledger: LedgerLookup): Change {
  const lease = found(ledger.lease(id), "lease");
  return { postings: [], lease: { ...lease, drawn: lease.drawn + leaves } };
}

/** What an event about audits does; see changeBy. */
export function auditChange(event: AuditEvent, { time }: Place, ledger: LedgerLookup): Change {
  switch (event.type) {
    case "draw":
      return drawn(event, ledger);
    case "verdict":
      return verdictOn(event, ledger);
    case "forfeit":
      return forfeited(event, ledger);
    case "vest":
      return vested(event, ledger);
    case "unbond":
      return unbonded(event, ledger);
    case "reset":
      return { postings: [], provider: anew(providerOf(event.provider, ledger)) };
    case "retire":
      return { postings: [], provider: { ...providerOf(event.account, ledger), retiring: time } };
    default:
      return event satisfies never;
  }
}
