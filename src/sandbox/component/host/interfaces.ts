import { ENVIRONMENT, EXIT, STDERR, STDIN, STDOUT, TERMINALS } from "./cli.ts";
import { MONOTONIC_CLOCK, WALL_CLOCK } from "./clocks.ts";
import { FILESYSTEM_TYPES, PREOPENS } from "./filesystem.ts";
import { POLL } from "./poll.ts";
import { INSECURE, INSECURE_SEED, RANDOM } from "./random.ts";
import { ERRORS, STREAMS } from "./streams.ts";
import type { HostInterface } from "./host-interface.ts";

/** Everything there is: what a pure program needs, served from the same state as preview 1. No sockets, no HTTP. */
const INTERFACES: ReadonlyMap<string, HostInterface> = new Map(
  Object.entries({
    "wasi:cli/environment": ENVIRONMENT,
    "wasi:cli/exit": EXIT,
    "wasi:cli/stdin": STDIN,
    "wasi:cli/stdout": STDOUT,
    "wasi:cli/stderr": STDERR,
    ...TERMINALS,
    "wasi:io/error": ERRORS,
    "wasi:io/poll": POLL,
    "wasi:io/streams": STREAMS,
    "wasi:clocks/wall-clock": WALL_CLOCK,
    "wasi:clocks/monotonic-clock": MONOTONIC_CLOCK,
    "wasi:random/random": RANDOM,
    "wasi:random/insecure": INSECURE,
    "wasi:random/insecure-seed": INSECURE_SEED,
    "wasi:filesystem/types": FILESYSTEM_TYPES,
    "wasi:filesystem/preopens": PREOPENS,
  }),
);

/** Any version 0.2.x: its releases only add to one another. */
const VERSIONED = /^(?<name>[^@]+)@0\.2\.\d+$/u;

/** The host's interface of this name and version, if there is one. */
export function hostInterface(name: string): HostInterface | undefined {
  const plain = VERSIONED.exec(name)?.groups?.["name"];
  return plain === undefined ? undefined : INTERFACES.get(plain);
}
