import { FailureError } from "../../../protocol/failure.ts";
import { MAX_LIST_BYTES } from "../limits.ts";
import { asBigint, type Value } from "../values/value.ts";
import type { HostContext } from "./host-function.ts";
import type { HostInterface } from "./host-interface.ts";
import { host, type HostEntry, hostInterfaceOf, tuple } from "./signatures.ts";

function randomBytes(context: HostContext, length: number): Uint8Array {
  // Hashing costs about as much as four copies.
  context.chargeBytes(4 * length);
  const bytes = new Uint8Array(length);
  // oxlint-disable-next-line unicorn/no-array-fill-with-reference-type -- a stream of bytes, not an array
  context.program.random.fill(bytes);
  return bytes;
}

function randomLong(context: HostContext): bigint {
  return new DataView(randomBytes(context, 8).buffer).getBigUint64(0, true);
}

const bytesEntry: HostEntry = host(["u64"], "list<u8>", (context, [length]): Value => {
  const count = asBigint(length);
  if (count > BigInt(MAX_LIST_BYTES))
    throw new FailureError("out-of-memory", `a component asked for ${count} random bytes`);
  return randomBytes(context, Number(count));
});
const longEntry: HostEntry = host([], "u64", randomLong);

/** All from the stream that follows from the task's seed: what is called insecure here is no worse. */
export const RANDOM: HostInterface = hostInterfaceOf(
  {},
  { "get-random-bytes": bytesEntry, "get-random-u64": longEntry },
);

export const INSECURE: HostInterface = hostInterfaceOf(
  {},
  { "get-insecure-random-bytes": bytesEntry, "get-insecure-random-u64": longEntry },
);

const seedEntry = host([], tuple("u64", "u64"), (context) => [randomLong(context), randomLong(context)]);

export const INSECURE_SEED: HostInterface = hostInterfaceOf({}, { "insecure-seed": seedEntry });
