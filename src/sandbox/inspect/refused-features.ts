import { FailureError } from "../../protocol/failure.ts";
import { meterModule } from "../meter.ts";
import type { Feature } from "./features.ts";

const HEADER = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const EMPTY_TYPE = [1, 4, 1, 0x60, 0, 0];
const ONE_FUNCTION = [3, 2, 1, 0];

/** A module with one function that takes and returns nothing, and this body without its `end`. */
function withBody(...body: readonly number[]): readonly number[] {
  const size = body.length + 2;
  return [...EMPTY_TYPE, ...ONE_FUNCTION, 10, size + 2, 1, size, 0, ...body, 0x0b];
}

/** The least that uses an extension: the profile's own reader says whether it takes it. */
const PROBES: readonly (readonly [Feature, readonly number[]])[] = [
  ["bulk-memory", [5, 3, 1, 0, 0, 11, 3, 1, 1, 0]],
  ["custom-page-sizes", [5, 4, 1, 8, 0, 0]],
  ["exception-handling", [...EMPTY_TYPE, 13, 3, 1, 0, 0]],
  ["extended-const", [6, 9, 1, 0x7f, 0, 0x41, 1, 0x41, 1, 0x6a, 0x0b]],
  ["function-references", [1, 6, 1, 0x60, 1, 0x63, 0x70, 0]],
  ["gc", [1, 3, 1, 0x5f, 0]],
  ["memory64", [5, 3, 1, 4, 0]],
  ["multi-memory", [5, 5, 2, 0, 0, 0, 0]],
  ["multi-value", [1, 6, 1, 0x60, 0, 2, 0x7f, 0x7f]],
  ["mutable-globals", [6, 6, 1, 0x7f, 1, 0x41, 0, 0x0b, 7, 5, 1, 1, 0x67, 3, 0]],
  ["reference-types", withBody(0xd0, 0x70, 0x1a)],
  ["relaxed-simd", withBody(0xfd, 0x0c, ...Array<number>(16).fill(0), 0xfd, 0x81, 0x02, 0x1a)],
  ["saturating-truncation", withBody(0x43, 0, 0, 0, 0, 0xfc, 0, 0x1a)],
  ["sign-extension", withBody(0x41, 0, 0xc0, 0x1a)],
  ["simd128", withBody(0xfd, 0x0c, ...Array<number>(16).fill(0), 0x1a)],
  ["tail-call", withBody(0x12, 0)],
  ["threads", [5, 4, 1, 3, 0, 0]],
];

const known = new Map<Feature, string | undefined>();

/** Why the profile refuses an extension, in its reader's words; undefined when it takes it. */
export function refusalOfFeature(feature: Feature): string | undefined {
  if (!known.has(feature)) known.set(feature, probe(feature));
  return known.get(feature);
}

function probe(feature: Feature): string | undefined {
  const [, sections = []] = PROBES.find(([name]) => name === feature) ?? [];
  try {
    meterModule(Uint8Array.from([...HEADER, ...sections]));
    return undefined;
  } catch (error) {
    if (error instanceof FailureError) return withoutPlace(error.detail);
    throw error;
  }
}

/** A refusal without the offset at which it was seen. */
export function withoutPlace(detail: string): string {
  return detail.replace(/ at byte \d+$/u, "");
}
