import type { FailureCode } from "../protocol/failure-code.ts";
import type { Cid } from "../protocol/cid.ts";
import type { TransportInfo } from "../mesh/mesh.ts";
import { type FunctionAbi } from "../protocol/messages/session.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { Tariff } from "../protocol/tariff.ts";
import type { Fuel, MicroCredits } from "../protocol/units.ts";

/** How a function is run. Everything has a default that suits a program of moderate size. */
export interface JobOptions {
  /** Interface the function is written for. Default: "component-1" for a component, "wasi-p1" when it imports WASI, else "bytes-1". */
  readonly abi?: FunctionAbi;
  /**
   * Exported function to call; of a component "name" or "interface#name", with "raw+" before it for bytes as they are
   * instead of JSON (docs/components.md). Default: the interface's usual one.
   */
  readonly entry?: string;
  /** Arguments after the program's name; "{input}" stands for the input as text. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Files every task finds below its root. */
  readonly files?: readonly { readonly path: string; readonly bytes: Uint8Array }[];
  /** Where the input appears as a file; on standard input when absent. */
  readonly inputFile?: string;
  /** File whose content is the output; standard output when absent. */
  readonly outputFile?: string;
  /** Most fuel of one task. Default 20 Gfuel. */
  readonly fuel?: bigint;
  /** Linear memory, bytes. Default 256 MiB. */
  readonly memoryBytes?: number;
  /** Output of one task, bytes. Default 16 MiB. */
  readonly outputBytes?: number;
  /** From start to end of one task, milliseconds. Default 120,000. */
  readonly deadlineMs?: number;
  /** Tasks of the job. Default: the number of inputs where it is known, else 1,000. */
  readonly maxTasks?: number;
  /** Providers wanted at a time. Default 4; never fewer than one more than `replicas`. */
  readonly parallel?: number;
  /**
   * How many providers of distinct owners compute each input, from 1 to 5; default 1. A result counts when they agree and that
   * leaves little doubt; else one more is asked, or the relay computes it again. Costs as many times as much.
   */
  readonly replicas?: number;
  /** The most the job may cost, micro-credits. Default: what maxTasks and one more for each provider cost at their limits, at most half the balance. */
  readonly cap?: bigint;
  /** The highest price accepted. Default: the relay's tariff. */
  readonly tariffMax?: Tariff;
  /**
   * When a result counts. "signed": as soon as the provider has signed for it; should an audit find it false later, its
   * price comes back. "audited": when everything the relay drew of its provider's work has been recomputed; work that was
   * void is done again by others first. That takes a few seconds more; where a provider leaves, its unproven work is done again.
   * Default: "signed".
   */
  readonly accept?: "signed" | "audited";
  /**
   * Who may see inputs when a result is checked, besides the provider that computed it: the relay alone, or other providers
   * as well. Default: "relay".
   */
  readonly disclosure?: "relay" | "peers";
  /** Without any provider for that long the job fails. Default 60,000 ms. */
  readonly noProviderTimeoutMs?: number;
  /** Cancels the job at the providers; what is not spent is refunded. */
  readonly signal?: AbortSignal;
  /** Told after every change, for a progress bar. */
  readonly onProgress?: (progress: JobProgress) => void;
}

export interface JobProgress {
  readonly state:
    | "submitting"
    | "finding-providers"
    | "connecting"
    | "running"
    | "auditing"
    | "settling"
    | "done"
    | "cancelled";
  /** Known once the source is exhausted, or at once for a list. */
  readonly total?: number;
  readonly done: number;
  readonly failed: number;
  readonly providers: number;
  /** Times a task was given to another provider so far. */
  readonly reassigned: number;
  /** Micro-credits under receipts so far. */
  readonly spent: MicroCredits;
  /** What happened last that a person may want to know: a provider dropped, none was found. */
  readonly note?: string;
}

/** What came of one input. A failure here is the function's own, or of a task that no provider could finish. */
export type MapResult =
  | {
      readonly kind: "done";
      /** Place of the input in the source, from 0. */
      readonly index: number;
      readonly output: Uint8Array;
      readonly outputCid: Cid;
      readonly fuel: Fuel;
      readonly provider: PeerId;
    }
  | {
      readonly kind: "failed";
      readonly index: number;
      readonly code: FailureCode;
      readonly detail: string;
      readonly fuel: Fuel;
      readonly provider?: PeerId;
    };

/** One lease of a finished job. */
export interface LeaseSummary {
  readonly lease: Cid;
  readonly provider: PeerId;
  /** Tasks that are paid: a copy that was stopped is none. */
  readonly tasks: number;
  readonly amount: MicroCredits;
  /** Receipt envelope, and the advance that countersigns it. Absent when the lease ended without any outcome. */
  readonly receipt?: Uint8Array;
  readonly advance?: Uint8Array;
  /** The receipt follows from the outcomes, and its signature holds. */
  readonly receiptVerified: boolean;
  /** Place in the relay's log; absent when the relay could not be reached. */
  readonly entryIndex?: number;
  /** The relay proved that it has logged the receipt. */
  readonly inclusionVerified: boolean;
  /** What carried the tasks. */
  readonly transport?: TransportInfo;
  readonly failure?: { readonly code: FailureCode; readonly detail: string };
}

export interface JobSummary {
  readonly job: Cid;
  readonly tasks: number;
  readonly done: number;
  readonly failed: number;
  /** Times a task was given to another provider. */
  readonly reassigned: number;
  /** Tasks of the last part that were late and given to a second provider as well; the first answer counted. */
  readonly copied: number;
  /** Of those given to another, because an audit found its provider's work false. */
  readonly voided: number;
  /** Of a job with replicas: results on which all agreed, and those on which somebody said otherwise. */
  readonly agreed?: number;
  readonly disputed?: number;
  /** Micro-credits: what providers earned and a fee for each lease; without fees where the relay could not be reached. */
  readonly spent: MicroCredits;
  /** Micro-credits given back from the cap; absent when the relay could not be reached. */
  readonly refunded?: MicroCredits;
  readonly cancelled: boolean;
  readonly leases: readonly LeaseSummary[];
}
