import {
  jsonAmount,
  jsonBool,
  jsonList,
  jsonOneOf,
  jsonRecord,
  type JsonShape,
  jsonText,
  jsonU64,
  jsonUint,
  optionalJson,
} from "./json-shape.ts";
import type { MicroCredits } from "./units.ts";

/**
 * Who works at a relay, as it was measured. All times are milliseconds since 1970 by the relay's clock; spans are
 * milliseconds. What was not measured is absent, never guessed.
 */
export interface NetworkView {
  /** When this was put together. */
  readonly at: number;
  /** Since when this relay counts: what lies before is not in `throughput`, `latency` and `mesh`. */
  readonly since: number;
  /** A provider counts as verified for this long after it proved itself. */
  readonly verifiedMs: number;
  readonly providers: ProvidersView;
  readonly throughput: ThroughputView;
  readonly prices: PricesView;
  readonly latency: readonly LatencyView[];
  readonly mesh: MeshView;
}

/** Tabs and machines whose offer stands now. One identity may have several. */
export interface ProvidersView {
  /** Whose offers stand, proven or not. */
  readonly connected: number;
  /** Those of them that proved themselves in time: by a receipt that both sides signed, or by the right answer to a challenge. */
  readonly verified: number;
  readonly byReceipt: number;
  readonly byChallenge: number;
  /** The oldest of the newest proofs of each. */
  readonly oldestProof?: number;
  /** Threads of the verified, and those of them that are free now: by their own word. */
  readonly threads: number;
  readonly freeThreads: number;
  /** Memory that a function may have at each of the verified, all together, bytes: by their own word. */
  readonly memoryBytes: bigint;
  /** Fuel a second that all threads of the verified burnt in challenges, and how many of them that was measured at. */
  readonly fuelPerSecond: bigint;
  readonly fuelMeasured: number;
  /** Multiply-adds a second of models, likewise; of each provider its fastest kernel. */
  readonly modelPerSecond: bigint;
  readonly modelMeasured: number;
}

/** What logged receipts add up to in a span that begins at `start`. */
export interface WorkSpan {
  readonly start: number;
  readonly tasks: number;
  readonly fuel: bigint;
  readonly paid: MicroCredits;
}

export interface ThroughputView {
  /** The last whole span: `spanMs` long, shorter where the relay has counted for less. */
  readonly spanMs: number;
  readonly tasks: number;
  readonly fuel: bigint;
  readonly receipts: number;
  /** The last hour by minutes, oldest first; the last is the minute that runs. */
  readonly minutes: readonly WorkSpan[];
}

export interface PricesView {
  /** Micro-credits for 10^9 fuel, by the tariff in force. */
  readonly listed: MicroCredits;
  /** Settled leases by the hour of their settlement, oldest first; hours without any are left out. */
  readonly hours: readonly WorkSpan[];
}

/**
 * `line`: from the relay's ping to a provider's answer; `first-receipt`: from a lease to the first receipt under it that is logged;
 * `task`: a lease's time up to its last receipt, for each task under it.
 */
export const LATENCIES = ["line", "first-receipt", "task"] as const;

/** Of the samples of the last `verifiedMs`; microseconds. */
export interface LatencyView {
  readonly what: (typeof LATENCIES)[number];
  readonly samples: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

/** `webrtc`: directly from one to the other; `circuit`: through the relay; `websocket`: with the relay itself. */
export const LINK_KINDS = ["webrtc", "circuit", "websocket"] as const;
export type LinkKind = (typeof LINK_KINDS)[number];

export interface MeshPeerView {
  /** Made of its key and a secret that the relay forgets: the same in one day's views, and of no other use. */
  readonly name: string;
  readonly does: "relays" | "computes" | "asks";
  readonly verified: boolean;
}

export interface MeshLinkView {
  /** Places in `peers`. */
  readonly from: number;
  readonly to: number;
  readonly over: LinkKind;
}

/** Who is connected with whom: with the relay by its own knowledge, with each other by the word of who computes. */
export interface MeshView {
  /** The relay first. */
  readonly peers: readonly MeshPeerView[];
  readonly links: readonly MeshLinkView[];
  /** Peers beyond what is shown. */
  readonly left: number;
}

/** Peers and links of one picture: more are dots that nobody can tell apart. */
export const MAX_PICTURED_PEERS = 200;
export const MAX_PICTURED_LINKS = 600;
/** Minutes of the throughput, and hours of prices: a week. */
export const THROUGHPUT_MINUTES = 60;
export const PRICE_HOURS = 168;

const workSpanJson: JsonShape<WorkSpan> = jsonRecord<WorkSpan>({
  start: jsonUint(),
  tasks: jsonUint(),
  fuel: jsonU64,
  paid: jsonAmount,
});

export const networkViewJson: JsonShape<NetworkView> = jsonRecord<NetworkView>({
  at: jsonUint(),
  since: jsonUint(),
  verifiedMs: jsonUint(),
  providers: jsonRecord<ProvidersView>({
    connected: jsonUint(),
    verified: jsonUint(),
    byReceipt: jsonUint(),
    byChallenge: jsonUint(),
    oldestProof: optionalJson(jsonUint()),
    threads: jsonUint(),
    freeThreads: jsonUint(),
    memoryBytes: jsonU64,
    fuelPerSecond: jsonU64,
    fuelMeasured: jsonUint(),
    modelPerSecond: jsonU64,
    modelMeasured: jsonUint(),
  }),
  throughput: jsonRecord<ThroughputView>({
    spanMs: jsonUint(),
    tasks: jsonUint(),
    fuel: jsonU64,
    receipts: jsonUint(),
    minutes: jsonList(workSpanJson, THROUGHPUT_MINUTES),
  }),
  prices: jsonRecord<PricesView>({ listed: jsonAmount, hours: jsonList(workSpanJson, PRICE_HOURS + 1) }),
  latency: jsonList(
    jsonRecord<LatencyView>({
      what: jsonOneOf(LATENCIES),
      samples: jsonUint(),
      p50: jsonUint(),
      p90: jsonUint(),
      p99: jsonUint(),
    }),
    LATENCIES.length,
  ),
  mesh: jsonRecord<MeshView>({
    peers: jsonList(
      jsonRecord<MeshPeerView>({
        name: jsonText(16),
        does: jsonOneOf(["relays", "computes", "asks"]),
        verified: jsonBool,
      }),
      MAX_PICTURED_PEERS,
    ),
    links: jsonList(
      jsonRecord<MeshLinkView>({ from: jsonUint(), to: jsonUint(), over: jsonOneOf(LINK_KINDS) }),
      MAX_PICTURED_LINKS,
    ),
    left: jsonUint(),
  }),
});
