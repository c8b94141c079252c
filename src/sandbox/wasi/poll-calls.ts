import { MAX_SUBSCRIPTIONS } from "../limits.ts";
import { wasiCall, type WasiCall } from "./call.ts";
import { CLOCK_REALTIME, LAST_CLOCK } from "./environment-calls.ts";
import { EPOCH_NS } from "./clock.ts";
import { ERRNO, failWith } from "./errno.ts";
import { chargeBytes, memoryOf, type Program } from "./program.ts";

const SUBSCRIPTION_BYTES = 48;
const EVENT_BYTES = 32;
const EVENT_CLOCK = 0;
const EVENT_READ = 1;

interface Subscription {
  readonly userdata: bigint;
  readonly type: number;
  /** Of a clock: when it is due on the monotonic clock, in nanoseconds. */
  readonly dueNs: bigint;
  /** Of a descriptor: bytes ready, and an error number. */
  readonly ready: bigint;
  readonly errno: number;
}

function readSubscription(program: Program, at: number): Subscription {
  const memory = memoryOf(program);
  const userdata = memory.getU64(at);
  const type = memory.getU8(at + 8);
  if (type > 2) return failWith("inval");
  if (type !== EVENT_CLOCK)
    return { userdata, type, dueNs: 0n, ...readiness(program, memory.getU32(at + 16)) };
  const clock = memory.getU32(at + 16);
  if (clock > LAST_CLOCK)
    return { userdata, type, dueNs: program.clock.elapsedNs, ready: 0n, errno: ERRNO.inval };
  const timeout = memory.getU64(at + 24);
  const absolute = (memory.getU16(at + 40) & 1) !== 0;
  const origin = clock === CLOCK_REALTIME ? EPOCH_NS : 0n;
  const dueNs = absolute ? timeout - origin : program.clock.elapsedNs + timeout;
  return { userdata, type, dueNs, ready: 0n, errno: ERRNO.success };
}

/** Everything is in memory, so every descriptor is ready at once. */
function readiness(program: Program, fd: number): { ready: bigint; errno: number } {
  try {
    const found = program.descriptors.get(fd);
    if (found.kind === "file")
      return { ready: BigInt(Math.max(0, found.inode.size - found.offset)), errno: 0 };
    return { ready: found.kind === "input" ? BigInt(found.bytes.length - found.offset) : 1n, errno: 0 };
  } catch {
    return { ready: 0n, errno: ERRNO.badf };
  }
}

function writeEvent(program: Program, at: number, subscription: Subscription): void {
  const memory = memoryOf(program);
  memory.slice(at, EVENT_BYTES).fill(0);
  memory.setU64(at, subscription.userdata);
  memory.setU16(at + 8, subscription.errno);
  memory.setU8(at + 10, subscription.type);
  if (subscription.type === EVENT_READ) memory.setU64(at + 16, subscription.ready);
}

function earliest(subscriptions: readonly Subscription[]): bigint {
  return subscriptions.reduce((least, { dueNs }) => (dueNs < least ? dueNs : least), (1n << 64n) - 1n);
}

/** Sleeping costs no time: when nothing is ready, the clock moves to the first subscription that is due. */
export const POLL_CALLS: Readonly<Record<string, WasiCall>> = {
  poll_oneoff: wasiCall("iiii", (program, input, output, count, result) => {
    if (count === 0 || count > MAX_SUBSCRIPTIONS) failWith("inval");
    chargeBytes(program, count * (SUBSCRIPTION_BYTES + EVENT_BYTES));
    const subscriptions: Subscription[] = [];
    for (let i = 0; i < count; i += 1)
      subscriptions.push(readSubscription(program, input + SUBSCRIPTION_BYTES * i));
    if (subscriptions.every(({ type }) => type === EVENT_CLOCK))
      program.clock.advanceTo(earliest(subscriptions));
    const now = program.clock.elapsedNs;
    const due = subscriptions.filter(({ type, dueNs }) => type !== EVENT_CLOCK || dueNs <= now);
    for (const [i, subscription] of due.entries())
      writeEvent(program, output + EVENT_BYTES * i, subscription);
    memoryOf(program).setU32(result, due.length);
  }),
};

/** Sockets: there are none, so a descriptor is either unknown or not a socket. */
function refuseSocket(program: Program, fd: number): never {
  program.descriptors.get(fd);
  return failWith("notsock");
}

export const SOCKET_CALLS: Readonly<Record<string, WasiCall>> = {
  sock_accept: wasiCall("iii", refuseSocket),
  sock_recv: wasiCall("iiiiii", refuseSocket),
  sock_send: wasiCall("iiiii", refuseSocket),
  sock_shutdown: wasiCall("ii", refuseSocket),
};
