import { TICK_NS } from "../../wasi/clock.ts";
import { asBigint, Resource, type Value } from "../values/value.ts";
import type { HostInterface } from "./host-interface.ts";
import { Pollable, POLLABLE } from "./poll.ts";
import { host, hostInterfaceOf, own, record } from "./signatures.ts";

export const DATETIME: string = record({ seconds: "u64", nanoseconds: "u32" });

const SECOND_NS = 1_000_000_000n;

export function datetimeOf(ns: bigint): Value {
  return [ns / SECOND_NS, Number(ns % SECOND_NS)];
}

export const WALL_CLOCK: HostInterface = hostInterfaceOf(
  {},
  {
    now: host([], DATETIME, ({ program }) => {
      program.clock.tick();
      return datetimeOf(program.clock.realtimeNs);
    }),
    resolution: host([], DATETIME, () => datetimeOf(TICK_NS)),
  },
);

export const MONOTONIC_CLOCK: HostInterface = hostInterfaceOf(
  {},
  {
    now: host([], "u64", ({ program }) => {
      program.clock.tick();
      return BigInt.asUintN(64, program.clock.elapsedNs);
    }),
    resolution: host([], "u64", () => TICK_NS),
    "subscribe-instant": host(
      ["u64"],
      own(POLLABLE),
      (_context, [when]) => new Resource(POLLABLE, new Pollable(asBigint(when))),
    ),
    "subscribe-duration": host(
      ["u64"],
      own(POLLABLE),
      ({ program }, [duration]) =>
        new Resource(POLLABLE, new Pollable(program.clock.elapsedNs + asBigint(duration))),
    ),
  },
);
