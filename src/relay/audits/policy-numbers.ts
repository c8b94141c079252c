import { type AuditPolicy, PPM } from "../../protocol/audit-policy.ts";

/** One number of the policy, for people. */
export interface PolicyNumber {
  readonly name: keyof AuditPolicy;
  /** As a person reads it, with the unit. */
  readonly shown: (policy: AuditPolicy) => string;
  readonly means: string;
}

function percent(ppm: number): string {
  return `${(100 * ppm) / PPM} %`;
}

function minutes(ms: number): string {
  const inMinutes = ms / 60_000;
  return inMinutes >= 120 ? `${inMinutes / 60} h` : `${inMinutes} min`;
}

/** What each number of the policy is for: `tabmesh relay policy`, docs/operate.md and the policy document have it from here. */
export const POLICY_NUMBERS: readonly PolicyNumber[] = [
  {
    name: "version",
    shown: ({ version }) => String(version),
    means: "Counts up with every change of a number; leases and receipts name it.",
  },
  {
    name: "firstTasks",
    shown: ({ firstTasks }) => `${firstTasks} tasks`,
    means: "So many outcomes of a provider without experience are all recomputed.",
  },
  {
    name: "rateNumerator",
    shown: ({ rateNumerator }) => String(rateNumerator),
    means: "After those, outcomes are recomputed at the rate `rateNumerator / (1 + min(n, rateTasks))`.",
  },
  {
    name: "rateTasks",
    shown: ({ rateTasks }) => `${rateTasks} tasks`,
    means: "Experience beyond which that rate falls no further.",
  },
  {
    name: "floorPpm",
    shown: ({ floorPpm }) => percent(floorPpm),
    means: "An outcome is recomputed at least this often, whoever computed it.",
  },
  {
    name: "lossPpm",
    shown: ({ lossPpm }) => percent(lossPpm),
    means:
      "What a false outcome costs on average, at least, of what it earns. It raises the rate where little is at stake.",
  },
  {
    name: "failedPpm",
    shown: ({ failedPpm }) => percent(failedPpm),
    means: "Least rate where an outcome of a report failed in a way that is paid.",
  },
  {
    name: "requesterPpm",
    shown: ({ requesterPpm }) => percent(requesterPpm),
    means: "Rate of the second draw, by the secret that a requester reveals when its job ends.",
  },
  {
    name: "payerPpm",
    shown: ({ payerPpm }) => percent(payerPpm),
    means: "Most of a provider's experience that may come from one payer.",
  },
  {
    name: "bondTasks",
    shown: ({ bondTasks }) => `${bondTasks} tasks' pay`,
    means: "The bond, in what the provider's dearest outcome was paid. Its first earnings fill it.",
  },
  {
    name: "holdTasks",
    shown: ({ holdTasks }) => `${holdTasks} tasks' pay`,
    means: "Settled pay that always stays back while a provider works.",
  },
  {
    name: "holdMs",
    shown: ({ holdMs }) => minutes(holdMs),
    means: "Settled pay is held back at least this long.",
  },
  {
    name: "leaseFee",
    shown: ({ leaseFee }) => `${leaseFee} micro-credits`,
    means: "Burnt with each lease: what it costs to farm experience or to block providers.",
  },
  {
    name: "verdictMs",
    shown: ({ verdictMs }) => minutes(verdictMs),
    means: "After the time to open, a verdict follows within this.",
  },
  {
    name: "epochEntries",
    shown: ({ epochEntries }) => `${epochEntries} entries`,
    means:
      "After so many entries of the log a new secret for draws is committed, and the one before revealed.",
  },
  {
    name: "epochMs",
    shown: ({ epochMs }) => minutes(epochMs),
    means: "The same after this time, with the next draw.",
  },
  {
    name: "peerPpm",
    shown: ({ peerPpm }) => percent(peerPpm),
    means:
      "Share of what is drawn that another provider computes first: functions of the bytes interface, where the requester lets others see its inputs.",
  },
  {
    name: "knownPpm",
    shown: ({ knownPpm }) => percent(knownPpm),
    means: "Share of audit jobs that ask for what the relay has computed already. Not used yet.",
  },
  {
    name: "auditorCheckTasks",
    shown: ({ auditorCheckTasks }) => `1 in ${auditorCheckTasks}`,
    means:
      "So often the relay computes what a provider has audited as well, to see whether the auditor is right.",
  },
  {
    name: "faultPpm",
    shown: ({ faultPpm }) => percent(faultPpm),
    means:
      "Share of providers without a record that are taken to be dishonest, in the credibility of replicas.",
  },
  {
    name: "acceptPpm",
    shown: ({ acceptPpm }) => percent(acceptPpm),
    means: "A replicated result is accepted when it is wrong less often than this.",
  },
  {
    name: "maxReplicas",
    shown: ({ maxReplicas }) => String(maxReplicas),
    means: "Replicas of one task at most; then the relay recomputes.",
  },
];
