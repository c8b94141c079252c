import { describe, expect, it } from "vitest";
import { eventBody } from "./text-stream.ts";

/** Says whether it was let go. */
async function* endless(told: { isOver: boolean }): AsyncGenerator<string> {
  try {
    for (;;) yield "data: word\n\n";
  } finally {
    told.isOver = true;
  }
}

describe("an answer that is told as it is written", () => {
  it("is given up when its client reads nothing of it, and its place is free", async () => {
    const told = { isOver: false };
    const { promise: left, resolve: leave } = Promise.withResolvers<void>();
    const reader = eventBody(endless(told), leave, 20).getReader();
    expect((await reader.read()).done).toBe(false);
    await reader.read();
    await left;
    await expect.poll(() => told.isOver).toBe(true);
    await expect(reader.closed).rejects.toThrow("nobody reads the answer");
  });

  it("goes on for as long as somebody reads", async () => {
    const told = { isOver: false };
    let ends = 0;
    const reader = eventBody(endless(told), () => (ends += 1), 1_000).getReader();
    for (let pieces = 0; pieces < 200; pieces += 1) {
      // oxlint-disable-next-line no-await-in-loop -- as a client reads
      expect((await reader.read()).done).toBe(false);
    }
    expect(ends).toBe(0);
    await reader.cancel();
    expect(ends).toBe(1);
  });
});
