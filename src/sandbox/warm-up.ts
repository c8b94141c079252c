import type { Sandbox } from "./task.ts";

/**
 * A new thread reads its first module several times slower than its tenth, because the engine has not yet compiled what
 * reads it. A thread that waits for work reads a module of its own meanwhile. Measured with a function of 100 kB in
 * Chromium: docs/decisions/0016-threads-are-started-ahead.md.
 */

/** Readings after which a further one is not faster. */
const ROUNDS = 24;
const FUNCTIONS = 6;
const REPEATS = 24;

/** What compilers emit most: locals, constants, loads and stores, floats, blocks, conditions, calls. */
// oxfmt-ignore
const LINE: readonly number[] = [
  0x20, 0, 0x28, 2, 0, 0x41, 7, 0x6a, 0x22, 0, 0x04, 0x40, 0x20, 0, 0x41, 3, 0x36, 2, 0, 0x05, 0x01, 0x0b,
  0x02, 0x40, 0x20, 0, 0x0d, 0, 0x0b, 0x20, 0, 0x10, 0, 0x1a,
  0x44, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0x44, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0xa0, 0x1a,
];

/** Gives the engine the reader to compile, between messages, until the first call comes. */
export async function warmUp(sandbox: Sandbox, isCalled: () => boolean): Promise<void> {
  const bytes = practiceModule();
  const { port1, port2 } = new MessageChannel();
  port1.start();
  for (let round = 0; round < ROUNDS && !isCalled(); round += 1) {
    const cid = `practice ${round}`;
    // oxlint-disable-next-line no-await-in-loop -- a thread does one thing at a time
    await sandbox.load(cid, bytes);
    // oxlint-disable-next-line no-await-in-loop
    await sandbox.forget(cid);
    // oxlint-disable-next-line no-await-in-loop -- calls that have come meanwhile are heard first
    await new Promise((resolve) => {
      port1.addEventListener("message", resolve, { once: true });
      port2.postMessage(0, []);
    });
  }
  port1.close();
}

/** A valid module without imports, 8 kB. */
export function practiceModule(): Uint8Array {
  const loop = [0x03, 0x40, ...Array.from({ length: REPEATS }, () => LINE).flat(), 0x20, 0, 0x0d, 0, 0x0b];
  const body = [0, ...loop, 0x20, 0, 0x0b];
  const bodies = Array.from({ length: FUNCTIONS }, () => [...leb(body.length), ...body]);
  return Uint8Array.from([
    0,
    0x61,
    0x73,
    0x6d,
    1,
    0,
    0,
    0,
    ...section(1, [1, 0x60, 1, 0x7f, 1, 0x7f]),
    ...section(3, [FUNCTIONS, ...bodies.map(() => 0)]),
    ...section(5, [1, 0, 1]),
    ...section(10, [FUNCTIONS, ...bodies.flat()]),
  ]);
}

function section(id: number, content: readonly number[]): readonly number[] {
  return [id, ...leb(content.length), ...content];
}

/** Unsigned LEB128 of a number below 2^14. */
function leb(value: number): readonly number[] {
  return value < 128 ? [value] : [(value & 127) | 128, value >> 7];
}
