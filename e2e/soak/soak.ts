import type { Goal, Measurement } from "../../bench/bench.ts";

/** A long measurement that can be stopped and taken up again. A file `x.soak.ts` exports `soaks: readonly Soak[]`. */
export interface Soak {
  readonly name: string;
  readonly goal?: Goal;
  run(context: SoakContext): Promise<readonly Measurement[]>;
}

export interface SoakContext {
  /** What the last `save` of an interrupted run kept; undefined at a fresh start. */
  readonly state: unknown;
  /** Keeps a JSON value on the disk, all of it or nothing. */
  save(state: unknown): Promise<void>;
  /** Aborted by Ctrl-C: save and return, or throw its reason. */
  readonly signal: AbortSignal;
  log(text: string): void;
}
