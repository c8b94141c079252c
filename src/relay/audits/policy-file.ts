import { readFileSync } from "node:fs";
import { type AuditPolicy, auditPolicySchema, DEFAULT_AUDIT_POLICY } from "../../protocol/audit-policy.ts";
import { MAX_BODY_BYTES } from "../../protocol/limits.ts";
import { decode, encode } from "../../protocol/schema.ts";
import { microCredits } from "../../protocol/units.ts";
import { POLICY_NUMBERS } from "./policy-numbers.ts";

const NAMES: ReadonlySet<string> = new Set(POLICY_NUMBERS.map(({ name }) => name));

function wholeNumber(name: string, value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new RangeError(`has no whole number for ${name}: ${JSON.stringify(value)}`);
}

/**
 * A policy out of the numbers that differ from the usual ones.
 * @throws RangeError naming what is wrong
 */
export function auditPolicyOf(changes: unknown): AuditPolicy {
  if (typeof changes !== "object" || changes === null || Array.isArray(changes))
    throw new RangeError("is not an object of numbers by name");
  const { leaseFee, ...others } = DEFAULT_AUDIT_POLICY;
  const numbers: Record<keyof typeof others, number> = { ...others };
  let fee: bigint = leaseFee;
  for (const [name, value] of Object.entries(changes)) {
    if (!NAMES.has(name)) throw new RangeError(`names no number of the policy: ${name}`);
    const number = wholeNumber(name, value);
    if (name === "leaseFee") fee = BigInt(number);
    else Object.assign(numbers, { [name]: number });
  }
  const policy: AuditPolicy = { ...numbers, leaseFee: microCredits(fee) };
  if (policy.version < 1) throw new RangeError("needs a version of 1 or more");
  if (policy.peerPpm + policy.knownPpm > 1_000_000)
    throw new RangeError("has a peerPpm and a knownPpm that are more than all together");
  if (policy.auditorCheckTasks < 1 || policy.maxReplicas < 1 || policy.epochEntries < 2)
    throw new RangeError("has a number of tasks, replicas or entries that is too small");
  return withinSchema(policy);
}

/** What the log could not hold is refused here. */
function withinSchema(policy: AuditPolicy): AuditPolicy {
  try {
    return decode(auditPolicySchema, encode(auditPolicySchema, policy), MAX_BODY_BYTES);
  } catch (error) {
    throw new RangeError(`has a number that is too large: ${error instanceof Error ? error.message : ""}`, {
      cause: error,
    });
  }
}

/** @param path of a JSON file. @throws RangeError naming what is wrong with it */
export function readAuditPolicy(path: string): AuditPolicy {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new RangeError(`cannot be read: ${path}`, { cause: error });
  }
  let changes: unknown;
  try {
    changes = JSON.parse(text);
  } catch (error) {
    throw new RangeError(`is not JSON: ${path}`, { cause: error });
  }
  return auditPolicyOf(changes);
}
