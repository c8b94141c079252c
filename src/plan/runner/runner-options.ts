import type { Cid, Digest } from "../../protocol/cid.ts";
import { type FailureCode, failureCode, failureKind } from "../../protocol/failure-code.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { Verify } from "../../protocol/signature.ts";
import type { MicroCredits } from "../../protocol/units.ts";
import type { NodeId, Plan } from "../plan.ts";
import type { RunEvent, RunFailure, StepKey, ValueRef } from "../runner-ports.ts";
import type { OpenRun } from "../state/open-run.ts";
import type { ValueType } from "../value-type.ts";
import type { NodeFailure } from "./known.ts";

export interface RunnerOptions {
  readonly run: OpenRun;
  readonly plan: Plan;
  /** As it was registered: its CID is the run's. */
  readonly planBytes: Uint8Array;
  /** Types of all nodes' values, where checking the plan has found them already. */
  readonly types?: ReadonlyMap<NodeId, ValueType>;
  /** Bytes of each parameter. */
  readonly params: Readonly<Record<string, Uint8Array>>;
  /** Root identity of this coordinator: the initiator or one of the holders. */
  readonly self: PeerId;
  /** Receipts that are there already: the run goes on from them. */
  readonly steps?: readonly Uint8Array[];
  readonly verify: Verify;
  /** The relay: what a plan places there counts when it signed alone. Left out, it counts whoever signed. */
  readonly relay?: PeerId;
  /** The runtime's SHA-256 where it can hash at once. */
  readonly digest?: Digest;
  readonly onEvent?: (event: RunEvent) => void;
  /** First number of this coordinator's attempts. Default: by its place among the holders (attempts.ts). */
  readonly attemptsFrom?: number;
  /** Times that a step is given out at most. Default 6. */
  readonly attempts?: number;
  /** A call that takes longer is given to a second peer as well, milliseconds. Default 30,000. */
  readonly hedgeAfterMs?: number;
  /** Whether this coordinator gives a step out itself; the others it waits for, until `takeOver`. Default: all. */
  readonly mine?: (key: StepKey) => boolean;
  /** The most that the run may cost, micro-credits, for those who look on. */
  readonly costBound?: MicroCredits;
}

/** What a run came to: a value or a failure. */
export interface RunEnd {
  readonly result?: ValueRef;
  readonly failure?: RunFailure;
  /** CID of the step that closes the run. */
  readonly receipt: Cid;
}

const TIMED_OUT = failureCode("timed-out");
const CANCELLED = failureCode("cancelled");

/** What to do, in a sentence. The table's own advice is for one task, which is given to somebody else; a run has done that already. */
function adviceFor(code: FailureCode): string {
  if (code === TIMED_OUT) return "Raise the timeout, or give what is inside of it less work.";
  if (code === CANCELLED) return "Start the run again when it is wanted.";
  const { refund, advice } = failureKind(code);
  return refund === "retry"
    ? "Every attempt was lost. Start the run again when more providers are there, or put a retry around this node."
    : advice;
}

/** A failure as people are told it. */
export function failureOf(failure: NodeFailure, paid: MicroCredits): RunFailure {
  return { ...failure, paid, advice: adviceFor(failure.code) };
}
