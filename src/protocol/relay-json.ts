import { jsonBytes } from "./json-bytes.ts";
import { type FailureCode, failureKind, isFailureCode } from "./failure-code.ts";
import type { Failure } from "./failure.ts";
import {
  jsonAmount,
  jsonBool,
  jsonCid,
  jsonList,
  jsonOneOf,
  jsonPeer,
  jsonRecord,
  type JsonShape,
  jsonText,
  jsonU64,
  jsonUint,
  optionalJson,
} from "./json-shape.ts";
import { CAP_PERIODS } from "./cap-period.ts";
import type { RelayKeys } from "./messages/entry.ts";
import {
  MAX_MODEL_BYTES,
  MAX_MODEL_PEERS,
  MAX_PAYOUT_ADDRESS_BYTES,
  MAX_PUBLISHED_MODELS,
} from "./limits.ts";
import { MODEL_ENTRIES } from "./model-entry.ts";
import type {
  AccountView,
  ApiKeyView,
  EarningsPoint,
  ErrorView,
  IceServer,
  JobView,
  ModelPeers,
  PayoutAddressView,
  PayoutView,
  PublishedModel,
  ReceiptView,
  RelayInfo,
} from "./relay-api.ts";
import type { Tariff } from "./tariff.ts";
import { WireError } from "./wire-error.ts";

/** The relay's views as JSON: `shape.write` at the relay, `shape.read` at whoever asked. Every list and text is bounded. */

/** Receipts in one page of a list; a client asks for the next page. */
export const MAX_RECEIPTS_PER_PAGE = 200;
/** Payouts in one page of a list. */
export const MAX_PAYOUTS_PER_PAGE = 200;
/** Buckets of one chart: a month of hours is 744, three years of days 1,096. */
export const MAX_EARNINGS_POINTS = 1_200;
/** API keys of one account in a list, the newest: more than it can have at a time. */
export const MAX_LISTED_API_KEYS = 256;
/** Leases of one job in its view, as many as a lease answer may hold. */
const MAX_LEASES_PER_JOB = 1_024;

const tariffJson: JsonShape<Tariff> = jsonRecord<Tariff>({
  perGfuel: jsonAmount,
  perTask: jsonAmount,
  perKiB: jsonAmount,
  perInstantiation: jsonAmount,
});

const iceServerJson: JsonShape<IceServer> = jsonRecord<IceServer>({
  urls: jsonList(jsonText(512), 8),
  username: optionalJson(jsonText(512)),
  credential: optionalJson(jsonText(512)),
});

export const relayInfoJson: JsonShape<RelayInfo> = jsonRecord<RelayInfo>({
  name: jsonText(128),
  version: jsonText(64),
  origin: jsonText(128),
  asset: jsonText(160),
  testMoney: jsonBool,
  wireVersions: jsonList(jsonUint(255), 16),
  profiles: jsonList(jsonUint(65_535), 16),
  keys: jsonRecord<RelayKeys>({ log: jsonPeer, lease: jsonPeer, draw: jsonPeer }),
  tariff: tariffJson,
  policy: jsonCid,
  auditVersion: optionalJson(jsonUint(65_535)),
  peer: jsonPeer,
  addresses: jsonList(jsonText(512), 16),
  iceServers: jsonList(iceServerJson, 8),
  gateway: optionalJson(jsonPeer),
  randomnessKey: optionalJson(jsonBytes(96)),
  now: optionalJson(jsonUint()),
});

export const apiKeyViewJson: JsonShape<ApiKeyView> = jsonRecord<ApiKeyView>({
  apiKey: jsonCid,
  label: jsonText(64),
  cap: jsonAmount,
  per: jsonOneOf(CAP_PERIODS),
  used: jsonAmount,
  created: jsonUint(),
  expires: optionalJson(jsonUint()),
  revoked: optionalJson(jsonUint()),
});

export const apiKeyViewsJson: JsonShape<readonly ApiKeyView[]> = jsonList(
  apiKeyViewJson,
  MAX_LISTED_API_KEYS,
);

export const payoutAddressViewJson: JsonShape<PayoutAddressView> = jsonRecord<PayoutAddressView>({
  account: jsonPeer,
  payoutAddress: jsonCid,
  address: jsonText(MAX_PAYOUT_ADDRESS_BYTES),
  since: jsonUint(),
  usableFrom: jsonUint(),
  entryIndex: jsonUint(),
});

export const payoutViewsJson: JsonShape<readonly PayoutView[]> = jsonList(
  jsonRecord<PayoutView>({
    batch: jsonCid,
    number: jsonUint(),
    state: jsonOneOf(["prepared", "paid", "cancelled"]),
    amount: jsonAmount,
    address: jsonText(MAX_PAYOUT_ADDRESS_BYTES),
    time: jsonUint(),
    entryIndex: jsonUint(),
    reference: optionalJson(jsonText(256)),
  }),
  MAX_PAYOUTS_PER_PAGE,
);

export const accountViewJson: JsonShape<AccountView> = jsonRecord<AccountView>({
  peer: jsonPeer,
  asset: jsonText(160),
  available: jsonAmount,
  escrowed: jsonAmount,
  pending: jsonAmount,
  held: jsonAmount,
  bond: jsonAmount,
  earned: jsonAmount,
  slashed: jsonAmount,
  paid: jsonAmount,
  payingOut: jsonAmount,
  earnedToday: jsonAmount,
  logSize: jsonUint(),
});

export const receiptViewJson: JsonShape<ReceiptView> = jsonRecord<ReceiptView>({
  entryIndex: jsonUint(),
  time: jsonUint(),
  lease: jsonCid,
  job: jsonCid,
  workCid: jsonCid,
  requester: jsonPeer,
  count: jsonUint(),
  payable: jsonUint(),
  fuel: jsonU64,
  amount: jsonAmount,
  final: jsonBool,
  settled: jsonBool,
  held: optionalJson(jsonAmount),
  forfeited: optionalJson(jsonAmount),
});

export const receiptViewsJson: JsonShape<readonly ReceiptView[]> = jsonList(
  receiptViewJson,
  MAX_RECEIPTS_PER_PAGE,
);

const earningsPointJson: JsonShape<EarningsPoint> = jsonRecord<EarningsPoint>({
  start: jsonUint(),
  amount: jsonAmount,
  tasks: jsonUint(),
});

export const earningsPointsJson: JsonShape<readonly EarningsPoint[]> = jsonList(
  earningsPointJson,
  MAX_EARNINGS_POINTS,
);

type LeaseView = JobView["leases"][number];

export const jobViewJson: JsonShape<JobView> = jsonRecord<JobView>({
  job: jsonCid,
  state: jsonOneOf(["open", "closing", "closed"]),
  cap: jsonAmount,
  spent: jsonAmount,
  refunded: jsonAmount,
  leases: jsonList(
    jsonRecord<LeaseView>({
      lease: jsonCid,
      provider: jsonPeer,
      state: jsonOneOf(["open", "returning", "settled"]),
      count: jsonUint(),
      amount: jsonAmount,
      drawn: jsonUint(),
      judged: jsonUint(),
      forfeited: jsonAmount,
    }),
    MAX_LEASES_PER_JOB,
  ),
});

export const failureCodeJson: JsonShape<FailureCode> = {
  write: (value) => value,
  read(value, at = "") {
    if (typeof value === "number" && isFailureCode(value)) return value;
    throw new WireError(`${at} is not a failure code`);
  },
};

export const errorViewJson: JsonShape<ErrorView> = jsonRecord<ErrorView>({
  error: jsonRecord<ErrorView["error"]>({
    code: failureCodeJson,
    detail: jsonText(4_096),
    name: jsonText(64),
    means: jsonText(512),
    advice: jsonText(512),
  }),
});

/** A failure as the relay tells it: with its name, meaning and advice, so that it can be read without our table. */
export function errorView(failure: Failure): ErrorView {
  const { name, means, advice } = failureKind(failure.code);
  return { error: { code: failure.code, detail: failure.detail.slice(0, 4_096), name, means, advice } };
}

/** Indices of the log's key-rotate entries, oldest first. */
export interface KeyRotations {
  readonly indices: readonly number[];
}

export const keyRotationsJson: JsonShape<KeyRotations> = jsonRecord<KeyRotations>({
  indices: jsonList(jsonUint(), 4_096),
});

/** The fields that OpenAI's interface gives a model, beside the relay's own. */
interface ModelView extends Omit<PublishedModel, "name" | "publisher"> {
  readonly id: string;
  readonly object: "model";
  /** Seconds since 1970. */
  readonly created: number;
  readonly owned_by: PublishedModel["publisher"];
}

const modelViewJson: JsonShape<ModelView> = jsonRecord<ModelView>({
  id: jsonText(128),
  object: jsonOneOf(["model"]),
  created: jsonUint(),
  owned_by: jsonPeer,
  cid: jsonCid,
  entry: jsonOneOf(MODEL_ENTRIES),
  licence: jsonText(1_024),
  size: jsonUint(MAX_MODEL_BYTES),
  memory: jsonUint(2 * MAX_MODEL_BYTES),
  context: jsonUint(),
  dimensions: jsonUint(65_535),
  published: jsonUint(),
});

/** A model as clients of OpenAI's interface expect one, with fields of ours that they pass over. */
export const publishedModelJson: JsonShape<PublishedModel> = {
  write({ name, publisher, ...model }) {
    const created = Math.floor(model.published / 1_000);
    return modelViewJson.write({ id: name, object: "model", created, owned_by: publisher, ...model });
  },
  read(value, at) {
    const {
      id,
      object: _object,
      created: _created,
      owned_by: publisher,
      ...model
    } = modelViewJson.read(value, at);
    return { name: id, publisher, ...model };
  },
};

interface ModelList {
  readonly object: "list";
  readonly data: readonly PublishedModel[];
}

const modelListJson: JsonShape<ModelList> = jsonRecord<ModelList>({
  object: jsonOneOf(["list"]),
  data: jsonList(publishedModelJson, MAX_PUBLISHED_MODELS),
});

export const publishedModelsJson: JsonShape<readonly PublishedModel[]> = {
  write: (data) => modelListJson.write({ object: "list", data }),
  read: (value, at) => modelListJson.read(value, at).data,
};

export const modelPeersJson: JsonShape<ModelPeers> = jsonRecord<ModelPeers>({
  peers: jsonList(
    jsonRecord<ModelPeers["peers"][number]>({ peer: jsonPeer, addresses: jsonList(jsonText(512), 16) }),
    MAX_MODEL_PEERS,
  ),
});
