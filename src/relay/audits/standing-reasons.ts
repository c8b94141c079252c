import type { ProviderState } from "../../ledger/ledger-state.ts";
import { bondWanted } from "../../ledger/vesting.ts";
import type { Candidate } from "../../market/match-job.ts";
import type { AuditPolicy } from "../../protocol/audit-policy.ts";
import type { StandingReason } from "../../protocol/relay-api.ts";
import { isWithinTariff, type Tariff } from "../../protocol/tariff.ts";

/** What the reasons follow from. */
export interface StandingFacts {
  readonly provider: ProviderState;
  /** Absent where nothing is audited. */
  readonly policy: AuditPolicy | undefined;
  /** What the relay's leases pay. */
  readonly tariff: Tariff;
  /** Why the log bars it, and why the operator denies it. */
  readonly barred: string | undefined;
  readonly denied: string | undefined;
  /** Its machines that are connected. */
  readonly candidates: readonly Candidate[];
  /** A measurement has contradicted what it says of itself. */
  readonly isContradicted: boolean;
}

type Rule = (facts: StandingFacts) => StandingReason | undefined;

const barred: Rule = ({ barred: reason }) =>
  reason === undefined
    ? undefined
    : {
        rule: "No result was ever proven false",
        value: reason.slice(0, 256),
        means:
          "The relay computed a result of this identity again and found another one. It gets no work any more.",
        advice:
          "The verdict is in the log with its evidence; anybody can compute it again. If the machine is at fault, have it looked at before you begin anew.",
      };

const denied: Rule = ({ denied: reason }) =>
  reason === undefined
    ? undefined
    : {
        rule: "The operator admits it",
        value: reason.slice(0, 256),
        means: "The operator of this relay does not admit this identity.",
        advice: "Ask the relay's operator.",
      };

const retiring: Rule = ({ provider }) =>
  provider.retiring === undefined
    ? undefined
    : {
        rule: "It has not retired",
        value: `retired at ${new Date(provider.retiring).toISOString()}`,
        means: "It asked for its bond and its held pay, so it gets no work until both are paid out.",
        advice: "Wait until both are free; after that it may begin anew.",
      };

const connected: Rule = ({ candidates }) =>
  candidates.length > 0
    ? undefined
    : {
        rule: "It is connected",
        value: "0 machines connected",
        means: "None of its machines offers itself to this relay now.",
        advice: "Keep the tab open and contributing, and look at the network page.",
      };

/** A rule about offers counts only where every machine breaks it. */
function ofAll(
  isAgainst: (candidate: Candidate, facts: StandingFacts) => boolean,
  reason: StandingReason,
): Rule {
  return (facts) =>
    facts.candidates.length > 0 && facts.candidates.every((each) => isAgainst(each, facts))
      ? reason
      : undefined;
}

const reachable: Rule = ofAll(({ offer }) => offer.addresses.length === 0, {
  rule: "Others can reach it",
  value: "no address",
  means: "No machine of it has an address at which requesters could call it.",
  advice: "Allow WebRTC (UDP) in browser and firewall, and reload the tab.",
});

const price: Rule = ofAll(({ offer }, { tariff }) => !isWithinTariff(offer.tariffMin, tariff), {
  rule: "It works for the relay's prices",
  value: "asks more than leases pay",
  means: "Its lowest price is above the relay's tariff, so that no lease fits.",
  advice: "Lower the price in the settings.",
});

const busy: Rule = ofAll(({ free }) => free === 0, {
  rule: "It has a thread that is idle",
  value: "0 threads idle",
  means: "All its threads have work, or it is paused.",
  advice: "Nothing to do: it gets more when one is free.",
});

const contradicted: Rule = ({ isContradicted }) =>
  isContradicted
    ? {
        rule: "Its machine is what it says",
        value: "a measurement says otherwise",
        means: "A challenge was answered wrongly, or slower than what it says of itself allows.",
        advice: "Close what else uses the machine; after a day it is measured anew.",
      }
    : undefined;

const experienced: Rule = ({ provider, policy }) => {
  if (policy === undefined || provider.peak === 0n) return undefined;
  const tasks = provider.experience / provider.peak;
  if (tasks >= BigInt(policy.rateTasks)) return undefined;
  return {
    rule: "It has a record",
    value: `${tasks} of ${policy.rateTasks} dearest tasks' worth of experience`,
    means:
      "Who has little experience has more of its results computed again, and comes after others when a job can choose.",
    advice: `Go on working, for different requesters: at most ${policy.payerPpm / 10_000} % of it counts from one payer.`,
  };
};

const bonded: Rule = ({ provider, policy }) => {
  if (policy === undefined) return undefined;
  const wanted = bondWanted(provider, policy);
  if (provider.bond >= wanted) return undefined;
  return {
    rule: "Its bond is full",
    value: `${provider.bond} of ${wanted} micro-credits`,
    means: "Its first earnings become its bond. Until it is full, more of its results are computed again.",
    advice: "Go on working: the bond fills by itself, and is paid out when you retire.",
  };
};

const beginner: Rule = ({ provider, policy }) =>
  policy === undefined || provider.peak > 0n
    ? undefined
    : {
        rule: "It has a record",
        value: "no task yet",
        means: `All of its first ${policy.firstTasks} results are computed again, and others come first when a job can choose.`,
        advice: "Stay connected: the first jobs come when others are busy or the work is plenty.",
      };

/** The weightiest first: what keeps all work away, what keeps some away, what only ranks it lower. */
const RULES: readonly Rule[] = [
  barred,
  denied,
  retiring,
  connected,
  reachable,
  price,
  contradicted,
  busy,
  beginner,
  experienced,
  bonded,
];

/** Why a provider may be getting no work, in words, with what to do about it. */
export function standingReasons(facts: StandingFacts): readonly StandingReason[] {
  return RULES.map((rule) => rule(facts)).filter((reason) => reason !== undefined);
}
