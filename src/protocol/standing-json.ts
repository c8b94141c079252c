import {
  jsonAmount,
  jsonBool,
  jsonList,
  jsonOneOf,
  jsonPeer,
  jsonRecord,
  type JsonShape,
  jsonText,
  jsonUint,
  optionalJson,
} from "./json-shape.ts";
import { PROPERTIES } from "./property.ts";
import type { CapabilityRow, StandingReason, StandingView } from "./relay-api.ts";

/** Rules that are told with a standing: some of those of matching, and those of audits. */
const MAX_REASONS = 32;

const reasonJson: JsonShape<StandingReason> = jsonRecord<StandingReason>({
  rule: jsonText(256),
  value: jsonText(256),
  means: jsonText(1_024),
  advice: jsonText(1_024),
});

const capabilityJson: JsonShape<CapabilityRow> = jsonRecord<CapabilityRow>({
  property: jsonOneOf(PROPERTIES),
  value: jsonUint(),
  unit: jsonOneOf(["fuel/s", "bytes", "ops/s", "bytes/s"]),
  state: jsonOneOf(["self-reported", "measured", "cross-checked", "contradicted"]),
  measuredAt: optionalJson(jsonUint()),
  isSoftware: jsonBool,
});

export const standingViewJson: JsonShape<StandingView> = jsonRecord<StandingView>({
  peer: jsonPeer,
  asset: jsonText(160),
  pending: jsonAmount,
  held: jsonAmount,
  bond: jsonAmount,
  bondWanted: jsonAmount,
  audited: jsonAmount,
  experience: jsonAmount,
  matched: jsonUint(),
  missing: jsonUint(),
  mismatched: jsonUint(),
  openLeases: jsonUint(),
  nextAuditPpm: optionalJson(jsonUint(1_000_000)),
  retiring: optionalJson(jsonUint()),
  barred: optionalJson(jsonText(512)),
  reasons: jsonList(reasonJson, MAX_REASONS),
  capability: optionalJson(jsonList(capabilityJson, PROPERTIES.length)),
  logSize: jsonUint(),
});
