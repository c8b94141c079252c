import type { Cid } from "./cid.ts";
import type { Failure } from "./failure.ts";
import type { PeerId } from "./peer-id.ts";
import type { CapPeriod } from "./cap-period.ts";
import type { Property } from "./property.ts";
import type { RelayKeys } from "./messages/entry.ts";
import type { ModelEntry } from "./model-entry.ts";
import type { Tariff } from "./tariff.ts";
import type { MicroCredits } from "./units.ts";

/**
 * The relay's HTTP interface, as types. Messages (jobs, reports, leases, proofs) travel as dag-cbor with MESSAGE_TYPE;
 * views for people travel as JSON, in which 64-bit amounts are decimal strings. relay-json.ts reads and writes the JSON.
 */
export const MESSAGE_TYPE = "application/vnd.ipld.dag-cbor";

/** Header with a run-access envelope, base64, on what is for those alone who take part in a run. */
export const RUN_ACCESS_HEADER = "tabmesh-run-access";

/** As what an account is asked for its runs: as who started or pays for them, or as who may go on with them. */
export const RUN_ROLES = ["account", "holder"] as const;
export type RunRole = (typeof RUN_ROLES)[number];

/** Paths below the relay's origin; `:x` stands for one segment. */
export const RELAY_PATHS = {
  /** GET: RelayInfo. */
  relay: "/v1/relay",
  /** POST job envelope: LeaseAnswer (open leases of that job, topped up to `parallel`). */
  jobs: "/v1/jobs",
  /** GET: JobView. */
  job: "/v1/jobs/:job",
  /** POST close-job envelope: JobView. */
  closeJob: "/v1/jobs/:job/close",
  /** POST cancel envelope with seq 0, for a lease whose provider cannot be reached: JobView. */
  cancelLease: "/v1/leases/:lease/cancel",
  /** POST report envelope: ReportAnswer. */
  reports: "/v1/reports",
  /** POST opening envelope: nothing. The input is in it, or was put under its CID before. */
  openings: "/v1/openings",
  /** POST dispute envelope: ReportAnswer. */
  disputes: "/v1/disputes",
  /** POST reveal envelope: Inclusion, dag-cbor. */
  reveals: "/v1/reveals",
  /** POST referee envelope: RefereeAnswer, dag-cbor. */
  referees: "/v1/referees",
  /** PUT raw bytes, GET, HEAD. */
  blob: "/v1/blobs/:cid",
  /** GET: AccountView. */
  account: "/v1/accounts/:peer",
  /** GET ?before=index&limit=n: ReceiptView[], newest first. */
  accountReceipts: "/v1/accounts/:peer/receipts",
  /** GET ?before=index&skip=n&limit=n and what ReceiptFilter names: HistoryPage, newest first. */
  accountHistory: "/v1/accounts/:peer/history",
  /** GET ?by=function|site&bucket=hour|day|month&from=ms: EarningsShare[], the largest first. */
  accountShares: "/v1/accounts/:peer/earnings/shares",
  /** GET ?bucket=hour|day|month&from=ms: EarningsPoint[]. */
  accountEarnings: "/v1/accounts/:peer/earnings",
  /**
   * GET, server-sent events: `account` with AccountView, `receipt` with ReceiptView; the id is the entry's index.
   * `lapse` says that receipts before this id were left out, so that a list has to be fetched anew.
   */
  accountEvents: "/v1/accounts/:peer/events",
  /** GET: signed note, text/plain. */
  checkpoint: "/v1/log/checkpoint",
  /** GET: entry bytes. */
  entry: "/v1/log/entries/:index",
  /** GET ?index=n: Inclusion, dag-cbor. */
  inclusion: "/v1/log/inclusion",
  /** GET ?from=n&to=m: proofSchema, dag-cbor. */
  consistency: "/v1/log/consistency",
  /** GET: two statements that contradict each other, as the file that `tabmesh verify` judges; a bar's reason names it. */
  evidence: "/v1/evidence/:cid",
  /** GET: key-rotate entry indices, oldest first: { indices: number[] }. */
  keyRotations: "/v1/log/key-rotations",
  /** POST key-revoke envelope: Inclusion, dag-cbor. */
  revocations: "/v1/revocations",
  /** GET: PublishedModel[], in the list form of OpenAI's interface. POST publish-model envelope: PublishedModel. */
  models: "/v1/models",
  /** GET: PublishedModel; `:model` is a name or a CID. */
  model: "/v1/models/:model",
  /** POST unpublish-model envelope: nothing. */
  unpublishModel: "/v1/models/:model/unpublish",
  /** GET: ModelPeers, of providers that say they hold the model of a CID. */
  modelPeers: "/v1/models/:model/peers",
  /** POST api-key envelope: Inclusion, dag-cbor. */
  apiKeys: "/v1/api-keys",
  /** POST api-key-revoke envelope: Inclusion, dag-cbor. */
  apiKeyRevocations: "/v1/api-keys/revocations",
  /** GET: ApiKeyView[], newest first. */
  accountApiKeys: "/v1/accounts/:peer/api-keys",
  /** POST payout-address envelope: Inclusion, dag-cbor. GET: PayoutAddressView. */
  accountPayoutAddress: "/v1/accounts/:peer/payout-address",
  /** POST retire envelope: Inclusion, dag-cbor. */
  retire: "/v1/accounts/:peer/retire",
  /** GET: StandingView. */
  standing: "/v1/accounts/:peer/standing",
  /** GET: NetworkView; see network-view.ts. */
  network: "/v1/network",
  /** POST alert envelope: AlertView; see alert-view.ts. */
  alerts: "/v1/alerts",
  /** POST alert-request envelope: AlertView[] for list, AlertTrial for test, nothing for remove. */
  alertRequests: "/v1/alerts/requests",
  /** GET: PushKey. */
  pushKey: "/v1/alerts/push-key",
  /** PUT deploy envelope: DeploymentView; see deployment-view.ts. */
  deployments: "/v1/deployments",
  /** POST deploy-request envelope: DeploymentView[] for list; for logs LogLine[], of ?from=seq, or with ?follow=1 server-sent events; nothing for undeploy. */
  deploymentRequests: "/v1/deployments/requests",
  /** POST anything, signed as in Standard Webhooks: HookView. Fires a trigger of a deployment. */
  hook: "/v1/hooks/:name/:trigger",
  /** GET ?before=number&limit=n: PayoutView[], newest first. */
  accountPayouts: "/v1/accounts/:peer/payouts",
  /** PUT site envelope: SiteView. The newest `at` counts; the same one again changes nothing. */
  sites: "/v1/sites",
  /** GET: SiteView. */
  site: "/v1/sites/:id",
  /** GET ?from=ms: SiteContributions[], the sites of an owner with their days. */
  accountSites: "/v1/accounts/:peer/sites",
  /** POST assign envelope: Inclusion, dag-cbor. */
  assignments: "/v1/assignments",
  /** GET: AssignmentView. */
  accountAssignment: "/v1/accounts/:peer/assignment",
  /** GET ?before=index&limit=n: TransferView[], to and from the account, newest first. */
  accountTransfers: "/v1/accounts/:peer/transfers",
  /** POST run-registration: Inclusion, dag-cbor. The same run again answers alike. */
  runs: "/v1/runs",
  /** GET: RunView; see run-views.ts. */
  run: "/v1/runs/:run",
  /** POST run-holders envelope: Inclusion, dag-cbor. */
  runHolders: "/v1/runs/:run/holders",
  /** POST run-end envelope: Inclusion, dag-cbor. Of several the first counts. */
  runEnd: "/v1/runs/:run/end",
  /** With RUN_ACCESS_HEADER. POST step-batch: nothing. GET ?from=n: step-page, dag-cbor. */
  runSteps: "/v1/runs/:run/steps",
  /** With RUN_ACCESS_HEADER. GET, server-sent events: `step` (RunStepEvent; the id is its place), `run` (RunView). */
  runEvents: "/v1/runs/:run/events",
  /** With RUN_ACCESS_HEADER. PUT raw bytes of the plan, a parameter or a step's value; GET. */
  runValue: "/v1/runs/:run/values/:cid",
  /** POST effect-parcel: EffectReply, dag-cbor. The relay carries out an effect itself. */
  runEffects: "/v1/runs/:run/effects",
  /**
   * GET ?role=&before=index&limit=n: RunSummary[], newest first; runs that the account started or pays for ("account", the default), or
   * that are open and name it as a holder ("holder").
   */
  accountRuns: "/v1/accounts/:peer/runs",
  /** PUT name envelope: NameView. GET: NameView. */
  name: "/v1/names/:name",
  /** GET: NameView[], by name. */
  accountNames: "/v1/accounts/:peer/names",
} as const;

export interface IceServer {
  readonly urls: readonly string[];
  readonly username?: string;
  readonly credential?: string;
}

/** What a client must know before anything else. The keys are pinned at first contact. */
export interface RelayInfo {
  readonly name: string;
  readonly version: string;
  readonly origin: string;
  readonly asset: string;
  /** Money is test credits: never paid out. */
  readonly testMoney: boolean;
  readonly wireVersions: readonly number[];
  readonly profiles: readonly number[];
  readonly keys: RelayKeys;
  readonly tariff: Tariff;
  /** CID of the policy document. */
  readonly policy: Cid;
  /** Version of the numbers by which results are audited; absent where none are. */
  readonly auditVersion?: number;
  /** libp2p peer id of the relay. */
  readonly peer: PeerId;
  /** Multiaddrs of the relay; a client that came by HTTP may also use the page's own host and port. */
  readonly addresses: readonly string[];
  readonly iceServers: readonly IceServer[];
  /** Identity of the gateway, the requester that api-keys authorise; absent where the relay has none. */
  readonly gateway?: PeerId;
  /** Verifies its randomness (BLS12-381, G2), 96 bytes; absent at older relays. */
  readonly randomnessKey?: Uint8Array;
  /** The relay's clock when it answered, milliseconds since 1970: what it judges by. */
  readonly now?: number;
}

/** One API key of an account, as far as the relay knows it. */
export interface ApiKeyView {
  /** CID of the api-key, by which it is revoked. */
  readonly apiKey: Cid;
  readonly label: string;
  readonly cap: MicroCredits;
  readonly per: CapPeriod;
  /** Set aside or spent in the period that runs, micro-credits. */
  readonly used: MicroCredits;
  /** Log times, milliseconds since 1970. */
  readonly created: number;
  readonly expires?: number;
  readonly revoked?: number;
}

/** Where an account wants its money, as far as the relay knows. */
export interface PayoutAddressView {
  readonly account: PeerId;
  /** CID of the payout-address, which the next one names. */
  readonly payoutAddress: Cid;
  readonly address: string;
  /** Log times, milliseconds since 1970: when it was logged, and from when on money goes there. */
  readonly since: number;
  readonly usableFrom: number;
  readonly entryIndex: number;
}

/** One payout to an account: money set aside, paid, or given back. */
export interface PayoutView {
  /** CID of the payout-batch, and its number. */
  readonly batch: Cid;
  readonly number: number;
  readonly state: "prepared" | "paid" | "cancelled";
  readonly amount: MicroCredits;
  readonly address: string;
  /** Log time since which it stands so, milliseconds since 1970. */
  readonly time: number;
  /** Entry that says so: with its inclusion and a checkpoint it is the proof. */
  readonly entryIndex: number;
  /** The payment's identity outside, once it is paid. */
  readonly reference?: string;
}

export interface AccountView {
  readonly peer: PeerId;
  readonly asset: string;
  /** Can be spent or, one day, paid out. */
  readonly available: MicroCredits;
  /** Set aside for this account's own jobs. */
  readonly escrowed: MicroCredits;
  /** Earned under leases that are not settled yet. */
  readonly pending: MicroCredits;
  /** Settled and kept back until its audits are over. */
  readonly held: MicroCredits;
  /** First earnings, which stay for as long as the account works. */
  readonly bond: MicroCredits;
  /** Earned in all, settled. */
  readonly earned: MicroCredits;
  /** Lost in all because an audit failed: pay that went back to who paid, and bond that was burnt. */
  readonly slashed: MicroCredits;
  /** Paid out in all, and set aside in a payout that is under way. */
  readonly paid: MicroCredits;
  readonly payingOut: MicroCredits;
  /** Earned since midnight UTC, pending included. */
  readonly earnedToday: MicroCredits;
  /** Size of the log this view is of. */
  readonly logSize: number;
}

/** One lease's newest logged receipt, as the earnings page lists it. */
export interface ReceiptView {
  readonly entryIndex: number;
  /** Log time, milliseconds since 1970. */
  readonly time: number;
  readonly lease: Cid;
  readonly job: Cid;
  readonly workCid: Cid;
  readonly requester: PeerId;
  readonly count: number;
  readonly payable: number;
  readonly fuel: bigint;
  readonly amount: MicroCredits;
  readonly final: boolean;
  readonly settled: boolean;
  /** Of the amount: kept back until its audits are over. Absent for nothing. */
  readonly held?: MicroCredits;
  /** Of the amount: taken back because an audit failed. Absent for nothing. */
  readonly forfeited?: MicroCredits;
}

export interface EarningsPoint {
  /** Start of the bucket, milliseconds since 1970. */
  readonly start: number;
  readonly amount: MicroCredits;
  readonly tasks: number;
}

export interface JobView {
  readonly job: Cid;
  readonly state: "open" | "closing" | "closed";
  readonly cap: MicroCredits;
  /** Paid or promised to providers so far. */
  readonly spent: MicroCredits;
  /** Given back to the payer so far. */
  readonly refunded: MicroCredits;
  readonly leases: readonly {
    readonly lease: Cid;
    readonly provider: PeerId;
    readonly state: "open" | "returning" | "settled";
    /** Outcomes under its newest logged receipt: where the proof in the next report has to begin. */
    readonly count: number;
    readonly amount: MicroCredits;
    /** Outcomes drawn to be recomputed so far, and those of them with a verdict. */
    readonly drawn: number;
    readonly judged: number;
    /** Taken back because an audit failed: its outcomes count for nothing, and the money is back in the job. */
    readonly forfeited: MicroCredits;
  }[];
}

/** One rule that decides over what work a provider gets, and how the provider stands to it. */
export interface StandingReason {
  /** What is asked of it, in few words. */
  readonly rule: string;
  /** How it stands to that, with the unit. */
  readonly value: string;
  readonly means: string;
  /** What to do about it. */
  readonly advice: string;
}

/** How far one property of a provider's machine may be believed; see market/capability.ts. */
export interface CapabilityRow {
  readonly property: Property;
  readonly value: number;
  readonly unit: "fuel/s" | "bytes" | "ops/s" | "bytes/s";
  readonly state: "self-reported" | "measured" | "cross-checked" | "contradicted";
  /** Milliseconds since 1970; absent where nothing was measured. */
  readonly measuredAt?: number;
  /** The processor stood in for the graphics card. */
  readonly isSoftware: boolean;
}

/** How somebody stands who computes: money kept back, record, and why it gets the work it gets. */
export interface StandingView {
  readonly peer: PeerId;
  readonly asset: string;
  /** Earned and not settled; settled and kept back; first earnings, kept for as long as it works; what those grow to. */
  readonly pending: MicroCredits;
  readonly held: MicroCredits;
  readonly bond: MicroCredits;
  readonly bondWanted: MicroCredits;
  /** Value reported since its record began anew, and what of it counts as experience. */
  readonly audited: MicroCredits;
  readonly experience: MicroCredits;
  /** Verdicts so far. */
  readonly matched: number;
  readonly missing: number;
  readonly mismatched: number;
  /** Leases that are not settled. */
  readonly openLeases: number;
  /** Parts per million: how often an outcome like its dearest would be recomputed now. Absent where nothing is audited. */
  readonly nextAuditPpm?: number;
  /** Log time at which it asked for its bond, milliseconds since 1970. */
  readonly retiring?: number;
  /** Why it gets no work any more. */
  readonly barred?: string;
  /** Why it may be getting no work, the weightiest first; empty where nothing stands against it. */
  readonly reasons: readonly StandingReason[];
  /** What is known of its machine; absent where nothing is measured. */
  readonly capability?: readonly CapabilityRow[];
  /** Size of the log this view is of. */
  readonly logSize: number;
}

/** A model that a relay keeps for everybody, found by its name. */
export interface PublishedModel {
  /** Of its manifest: its identity. */
  readonly cid: Cid;
  /** Unique at the relay. */
  readonly name: string;
  readonly entry: ModelEntry;
  /** What the file says: SPDX identifier or the text of the source. */
  readonly licence: string;
  /** Bytes of the file. */
  readonly size: number;
  /** Bytes a provider needs for it, what a job's memory limit has to be. */
  readonly memory: number;
  /** Positions it can take in; of an encoder those of one text. */
  readonly context: number;
  /** Values of an embedding; 0 for a model that writes text. */
  readonly dimensions: number;
  readonly publisher: PeerId;
  /** Milliseconds since 1970, by the publisher's clock. */
  readonly published: number;
}

/** Providers to fetch a model's chunks from. What they say is not checked by the relay; the chunks are, by who fetches. */
export interface ModelPeers {
  /** Multiaddrs, of each provider those of its offer. */
  readonly peers: readonly { readonly peer: PeerId; readonly addresses: readonly string[] }[];
}

/** Body of every answer that is not 2xx. */
export interface ErrorView {
  readonly error: Failure & { readonly name: string; readonly means: string; readonly advice: string };
}
