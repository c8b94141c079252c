import { jsonBytes } from "./json-bytes.ts";
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
  jsonUint,
  optionalJson,
} from "./json-shape.ts";
import { MAX_ENVELOPE_BYTES, MAX_NAME_PEERS, MAX_NAMES_PER_ACCOUNT, MAX_RUN_HOLDERS } from "./limits.ts";
import { failureCodeJson } from "./relay-json.ts";
import {
  type CoordinatorView,
  type NamePeer,
  type NameView,
  RUN_STATES,
  type RunJobView,
  type RunSummary,
  type RunView,
} from "./run-views.ts";

/** Views of runs and names as JSON. */

/** Jobs of one run in its view, the newest. */
export const MAX_LISTED_RUN_JOBS = 512;
/** Runs in one page of a list. */
export const MAX_RUNS_PER_PAGE = 200;

const summary = {
  run: jsonCid,
  plan: jsonCid,
  name: jsonText(256),
  initiator: jsonPeer,
  payer: jsonPeer,
  state: jsonOneOf(RUN_STATES),
  budget: jsonAmount,
  spent: jsonAmount,
  issuedAt: jsonUint(),
  entryIndex: jsonUint(),
};

export const runSummariesJson: JsonShape<readonly RunSummary[]> = jsonList(
  jsonRecord<RunSummary>(summary),
  MAX_RUNS_PER_PAGE,
);

const runJobJson: JsonShape<RunJobView> = jsonRecord<RunJobView>({
  job: jsonCid,
  node: jsonText(64),
  turn: jsonUint(65_535),
  coordinator: jsonPeer,
  state: jsonOneOf(["open", "closing", "closed"]),
  cap: jsonAmount,
  spent: jsonAmount,
  refunded: jsonAmount,
});

export const runViewJson: JsonShape<RunView> = jsonRecord<RunView>({
  ...summary,
  setAside: jsonAmount,
  left: jsonAmount,
  params: jsonCid,
  notAfter: jsonUint(),
  returnTo: jsonText(1_024),
  coordinators: jsonList(
    jsonRecord<CoordinatorView>({ peer: jsonPeer, silentMs: optionalJson(jsonUint()) }),
    MAX_RUN_HOLDERS + 1,
  ),
  holdersRev: jsonUint(65_535),
  holdersIndex: optionalJson(jsonUint()),
  steps: jsonUint(),
  endedAt: optionalJson(jsonUint()),
  result: optionalJson(jsonCid),
  code: optionalJson(failureCodeJson),
  detail: optionalJson(jsonText(512)),
  jobs: jsonList(runJobJson, MAX_LISTED_RUN_JOBS),
});

const namePeerJson: JsonShape<NamePeer> = jsonRecord<NamePeer>({
  peer: jsonPeer,
  online: jsonBool,
  addresses: jsonList(jsonText(512), 16),
});

export const nameViewJson: JsonShape<NameView> = jsonRecord<NameView>({
  name: jsonText(63),
  owner: jsonPeer,
  version: jsonUint(),
  issuedAt: jsonUint(),
  expires: jsonUint(),
  plan: optionalJson(jsonCid),
  peers: optionalJson(jsonList(namePeerJson, MAX_NAME_PEERS)),
  envelope: jsonBytes(MAX_ENVELOPE_BYTES),
});

export const nameViewsJson: JsonShape<readonly NameView[]> = jsonList(nameViewJson, MAX_NAMES_PER_ACCOUNT);

/** One receipt that has come to the relay, as an event of a run tells it. */
export interface RunStepEvent {
  /** Step envelope. */
  readonly step: Uint8Array;
}

export const runStepEventJson: JsonShape<RunStepEvent> = jsonRecord<RunStepEvent>({
  step: jsonBytes(MAX_ENVELOPE_BYTES),
});
