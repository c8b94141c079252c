import type { CapabilityRow, StandingView } from "../../protocol/relay-api.ts";
import { scaledText } from "./quantities.ts";

/** How a provider stands, for a person. */

const PPM = 1_000_000;

/** How often results are recomputed: "every one", "1 in 20". */
export function auditShareText(ppm: number): string {
  if (ppm >= PPM) return "every one";
  if (ppm <= 0) return "none";
  const each = PPM / ppm;
  return each < 1.5 ? "nearly every one" : `1 in ${Math.round(each)}`;
}

/** Verdicts so far: "124 right", "3 right, 1 not shown in time". */
export function recordText({ matched, missing, mismatched }: StandingView): string {
  const parts = [
    `${matched} right`,
    ...(missing === 0 ? [] : [`${missing} not shown in time`]),
    ...(mismatched === 0 ? [] : [`${mismatched} false`]),
  ];
  return matched + missing + mismatched === 0 ? "none yet" : parts.join(", ");
}

const PROPERTIES: Readonly<Record<CapabilityRow["property"], string>> = {
  fuel: "One thread",
  "fuel-all": "All threads at once",
  memory: "Memory of one function",
  "wasm-rows": "Models, processor, many rows",
  "wasm-row": "Models, processor, one row",
  "webgpu-rows": "Models, graphics card, many rows",
  "webgpu-row": "Models, graphics card, one row",
  upstream: "Upload to the relay",
};

const STATES: Readonly<Record<CapabilityRow["state"], string>> = {
  "self-reported": "said by this tab",
  measured: "measured",
  "cross-checked": "measured twice",
  contradicted: "not true",
};

/** What a row is about; a graphics card that is none says so. */
export function propertyText({ property, isSoftware }: CapabilityRow): string {
  return isSoftware ? `${PROPERTIES[property]} (in software)` : PROPERTIES[property];
}

const UNITS: Readonly<Record<CapabilityRow["unit"], string>> = {
  "fuel/s": "fuel/s",
  bytes: "B",
  "ops/s": "op/s",
  "bytes/s": "B/s",
};

export function capabilityText({ value, unit }: CapabilityRow): string {
  return `${scaledText(value)}${value < 1_000 ? " " : ""}${UNITS[unit]}`;
}

export function capabilityStateText({ state }: CapabilityRow): string {
  return STATES[state];
}
