import { type Cid, cidOf, DAG_CBOR } from "../protocol/cid.ts";
import { decode, encode } from "../protocol/schema.ts";
import { MAX_PLAN_BYTES, MAX_PLAN_DEPTH } from "./limits.ts";
import type { Plan } from "./plan.ts";
import { planShape } from "./shape/plan-shape.ts";

/** The one encoding of a plan, canonical dag-cbor. @throws RangeError when it breaks a bound of its format. */
export function encodePlan(plan: Plan): Uint8Array<ArrayBuffer> {
  const encoded = encode(planShape.wire, plan);
  if (encoded.length > MAX_PLAN_BYTES)
    throw new RangeError(`a plan of ${encoded.length} bytes, at most ${MAX_PLAN_BYTES}`);
  return encoded;
}

/**
 * A plan from a stranger. Its form is right then; whether it makes sense is for checkPlan to say.
 * @throws WireError naming the place.
 */
export function decodePlan(encoded: Uint8Array): Plan {
  return decode(planShape.wire, encoded, MAX_PLAN_BYTES, MAX_PLAN_DEPTH);
}

/** A plan's identity: the CID (dag-cbor) of its bytes. @throws RangeError as encodePlan does. */
export function planCid(plan: Plan): Cid {
  return cidOf(DAG_CBOR, encodePlan(plan));
}
