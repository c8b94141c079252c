import { afterEach, expect, test } from "vitest";
import { concatBytes } from "../protocol/bytes.ts";
import { cidOf, RAW } from "../protocol/cid.ts";
import { failureKind } from "../protocol/failure-code.ts";
import { type Task, taskSchema } from "../protocol/messages/task.ts";
import { decode, encode } from "../protocol/schema.ts";
import { fuel } from "../protocol/units.ts";
import { FRAME, headerLength, splitHeader } from "../protocol/work-frame.ts";
import { leasePair, seed } from "../sdk/lease-pair.contract.ts";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** How a lease ends whose first task arrives with these changes, or as often as `times`. */
async function endAfter(changes: Partial<Task>, times = 1): Promise<string> {
  const pair = await leasePair({ module: new Uint8Array() });
  closing.push(() => pair.stop());
  let header: Uint8Array | undefined;
  pair.fromRequester = (kind, payload) => {
    if (kind !== FRAME.task) return payload;
    const [encoded, data] = splitHeader(payload);
    header ??= encode(taskSchema, { ...decode(taskSchema, encoded), ...changes });
    return concatBytes(headerLength(header), header, data);
  };
  const bytes = new Uint8Array(1);
  for (let time = 0; time < times; time += 1)
    pair.requester.send({ bytes, cid: cidOf(RAW, bytes), seed: seed(1) });
  const failure = await pair.provider.ended;
  return failure === undefined ? "" : `${failureKind(failure.code).name}: ${failure.detail}`;
}

test("a task of another lease, out of order, sent twice or above the job's limits ends the lease", async () => {
  expect(await endAfter({ lease: cidOf(RAW, seed(0)) })).toBe("malformed: task: of another lease");
  expect(await endAfter({ seq: 1 })).toBe("malformed: task: seq 1, expected 0");
  expect(await endAfter({}, 2)).toBe("malformed: task: seq 0, expected 1");
  expect(await endAfter({ fuelLimit: fuel(1n << 60n) })).toMatch(/^malformed: task: its limits/u);
  expect(await endAfter({ deadlineMs: 86_400_000 })).toMatch(/^malformed: task: its limits/u);
});

test("a task that asks for a stream is refused", async () => {
  expect(await endAfter({ stream: true })).toMatch(/^malformed: task: is a stream where/u);
});
