import { parentPort } from "node:worker_threads";
import type { AuditPolicy } from "../../src/protocol/audit-policy.ts";
import { simulate } from "./outcome.ts";
import { strategyNamed } from "./strategy.ts";

/** What a thread is asked for: strategies are functions, so only their names cross. */
export interface Errand {
  readonly strategy: string;
  readonly policy: AuditPolicy;
  readonly providers: number;
  readonly tasks: number;
  readonly seed: string;
}

/** Share of the providers that is dishonest. */
const DISHONEST = 0.05;

parentPort?.on("message", (errand: Errand) => {
  const strategy = strategyNamed(errand.strategy);
  if (strategy === undefined) throw new RangeError(`no strategy ${errand.strategy}`);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  parentPort?.postMessage(simulate({ ...errand, strategy, dishonest: DISHONEST, seals: true }));
});
