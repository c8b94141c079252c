import { parseArgs } from "node:util";
import { type AuditPolicy, DEFAULT_AUDIT_POLICY } from "../../src/protocol/audit-policy.ts";
import { HONEST, STRATEGIES, type Strategy } from "./strategy.ts";

export const USAGE = `npm run bench:honesty -- [options]
  --seed TEXT        of all chance (default: 1)
  --providers N      of the table; with --tasks, one table of that size instead of the two usual ones
  --tasks N          that each provider is given
  --only A,B         strategies of these names only
  --policy JSON      numbers of the audit policy that are to be others, as in '{"holdMs":0}'
  --json             the last line is the result as JSON
Simulated time: a provider has a lease of 10 to 24 tasks every 40 minutes, so 1,000 tasks take two days.
The usual run writes bench/honesty-results.json.`;

/** One table: so many providers, each with so many tasks. */
export interface Size {
  readonly providers: number;
  readonly tasks: number;
}

export interface Options {
  readonly seed: string;
  /** Undefined: the usual two tables. */
  readonly size: Size | undefined;
  readonly strategies: readonly Strategy[];
  /** Everything as usual: the results are kept. */
  readonly isUsual: boolean;
  readonly policy: AuditPolicy;
  readonly json: boolean;
}

function wholeNumber(text: string, name: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new RangeError(`--${name}: ${text} is no number of them`);
  return value;
}

function changed(text: string | undefined): AuditPolicy {
  const changes: unknown = text === undefined ? {} : JSON.parse(text);
  if (typeof changes !== "object" || changes === null) throw new RangeError("--policy: not an object");
  for (const [name, value] of Object.entries(changes))
    if (!(name in DEFAULT_AUDIT_POLICY) || typeof value !== "number")
      throw new RangeError(`--policy: ${name} is not one of its numbers`);
  return { ...DEFAULT_AUDIT_POLICY, ...changes };
}

/** @throws RangeError with a sentence for a person. */
export function readOptions(args: readonly string[]): Options | "help" {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: "string" },
      providers: { type: "string" },
      tasks: { type: "string" },
      only: { type: "string" },
      policy: { type: "string" },
      json: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  if (values.help === true) return "help";
  const names = values.only?.split(",");
  const known = [HONEST, ...STRATEGIES].map(({ name }) => name);
  const unknown = names?.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new RangeError(`--only: no ${unknown}; there are ${known.join(", ")}`);
  const hasSize = values.providers !== undefined || values.tasks !== undefined;
  return {
    seed: values.seed ?? "1",
    size: hasSize
      ? {
          providers: wholeNumber(values.providers ?? "1000", "providers"),
          tasks: wholeNumber(values.tasks ?? "1000", "tasks"),
        }
      : undefined,
    strategies: STRATEGIES.filter(({ name }) => names?.includes(name) !== false),
    isUsual: names === undefined && values.policy === undefined && !hasSize,
    policy: changed(values.policy),
    json: values.json === true,
  };
}
