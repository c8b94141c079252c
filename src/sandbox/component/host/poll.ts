import { FailureError } from "../../../protocol/failure.ts";
import type { HostResource } from "../types/resource-type.ts";
import { asArray, asResource, mismatch, type Value } from "../values/value.ts";
import { type HostContext, HostObject } from "./host-function.ts";
import type { HostInterface } from "./host-interface.ts";
import { borrow, host, hostInterfaceOf, hostResource, list } from "./signatures.ts";

export const POLLABLE: HostResource = hostResource("wasi:io/poll/pollable");

/** Due at a moment of the program's monotonic clock, nanoseconds; what is in memory is due from the start. */
export class Pollable extends HostObject {
  readonly dueNs: bigint;

  constructor(dueNs: bigint) {
    super();
    this.dueNs = dueNs;
  }
}

function pollableOf(value: Value | undefined): Pollable {
  const { representation } = asResource(value);
  return representation instanceof Pollable ? representation : mismatch("pollable");
}

/** Sleeping costs no time: when nothing is due, the clock moves to the first that will be. */
function waitFor(context: HostContext, pollables: readonly Pollable[]): readonly number[] {
  const { clock } = context.program;
  const first = pollables.reduce((least, { dueNs }) => (dueNs < least ? dueNs : least), (1n << 64n) - 1n);
  clock.advanceTo(first);
  const now = clock.elapsedNs;
  return pollables.flatMap(({ dueNs }, i) => (dueNs <= now ? [i] : []));
}

export const POLL: HostInterface = hostInterfaceOf(
  { pollable: POLLABLE },
  {
    poll: host([list(borrow(POLLABLE))], "list<u32>", (context, [pollables]) => {
      const all = asArray(pollables).map(pollableOf);
      if (all.length === 0) throw new FailureError("trap-unreachable", "a component waits for nothing");
      return waitFor(context, all);
    }),
    "[method]pollable.ready": host(
      [borrow(POLLABLE)],
      "bool",
      ({ program }, [self]) => pollableOf(self).dueNs <= program.clock.elapsedNs,
    ),
    "[method]pollable.block": host([borrow(POLLABLE)], "", (context, [self]) => {
      waitFor(context, [pollableOf(self)]);
      return undefined;
    }),
  },
);
