import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FrameStream } from "../../mesh/frame-stream.ts";
import { createMemoryNetwork } from "../../mesh/memory-mesh.ts";
import type { MonthUsage, UsageShelf } from "../../storage/usage.ts";
import { HTTP_HEAD_BYTES, LINE_FACTOR, USAGE_SAVE_MS } from "./limits.ts";
import { countFetch, countMesh } from "./line-count.ts";
import { MonthCount, monthOf } from "./month-count.ts";

describe("bytes of streams", () => {
  it("are counted up and down, by whoever opened them, and arrive as they were", async () => {
    const network = createMemoryNetwork();
    let counted = 0;
    const here = countMesh(network.join("here"), (bytes) => (counted += bytes));
    const there = network.join("there");
    await Promise.all([here.start(), there.start()]);
    const received: Uint8Array[] = [];
    const sent = new Uint8Array(50_000).map((_, at) => at % 251);
    there.handle("/echo", async (stream) => {
      for await (const chunk of stream.bytes()) await stream.send(chunk.slice());
      await stream.close();
    });
    const stream = await here.dial("/memory/p2p/there", "/echo", { signal: AbortSignal.timeout(5_000) });
    await stream.send(sent.slice());
    await stream.close();
    for await (const chunk of stream.bytes()) received.push(chunk);
    expect(new Uint8Array(await new Blob(received.map((chunk) => chunk.slice())).arrayBuffer())).toEqual(
      sent,
    );
    expect(counted).toBeCloseTo(2 * sent.length * LINE_FACTOR, 3);

    counted = 0;
    here.handle("/take", (taken) => {
      new FrameStream(taken).onFrame(
        () => undefined,
        () => undefined,
      );
    });
    const other = await there.dial("/memory/p2p/here", "/take", { signal: AbortSignal.timeout(5_000) });
    await new FrameStream(other).sendFrame(1, new Uint8Array(1_000));
    await vi.waitFor(() => expect(counted).toBeGreaterThan(1_000));
  });
});

describe("bytes of requests", () => {
  it("are those of heads, of what is sent and of what is read of the answer", async () => {
    let counted = 0;
    const body = new Uint8Array(9_000).fill(7);
    const fetchHere = countFetch(
      async () => new Response(body, { status: 201, headers: { "x-told": "yes" } }),
      (bytes) => (counted += bytes),
    );
    const answer = await fetchHere("http://localhost/", { method: "POST", body: new Uint8Array(500) });
    expect(counted).toBe(HTTP_HEAD_BYTES + 500);
    expect([answer.status, answer.headers.get("x-told")]).toEqual([201, "yes"]);
    expect(new Uint8Array(await answer.arrayBuffer())).toEqual(body);
    expect(counted).toBe(HTTP_HEAD_BYTES + 500 + 9_000);
    const empty = countFetch(
      async () => new Response(null, { status: 204 }),
      () => undefined,
    );
    expect((await empty("http://localhost/")).status).toBe(204);
  });
});

function shelf(before?: MonthUsage): UsageShelf & { readonly kept: MonthUsage[] } {
  const kept: MonthUsage[] = [];
  return {
    kept,
    load: () => Promise.resolve(before),
    save: (usage) => {
      kept.push(usage);
      return Promise.resolve();
    },
  };
}

it("an answer of which a browser shows a body that it cannot have arrives as it is", async () => {
  const told = Object.defineProperty(new Response(null, { status: 204 }), "body", {
    value: new ReadableStream(),
  });
  const fetchHere = countFetch(
    () => Promise.resolve(told),
    () => undefined,
  );
  expect(await fetchHere("http://localhost/")).toBe(told);
});

describe("the data of a month", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("go on from what was counted before, and are written down now and then", async () => {
    const here = shelf({ month: "2026-11", bytes: 1_000 });
    const count = new MonthCount(here, () => "2026-11");
    count.add(5.4);
    await count.load();
    expect(count.bytes).toBe(1_005);
    for (let turn = 0; turn < 100; turn += 1) count.add(1);
    vi.advanceTimersByTime(USAGE_SAVE_MS);
    expect(here.kept).toEqual([{ month: "2026-11", bytes: 1_105 }]);
    count.add(1);
    count.stop();
    expect(here.kept.at(-1)).toEqual({ month: "2026-11", bytes: 1_106 });
  });

  it("begin anew with the month, and know nothing of another one", async () => {
    let month = "2026-11";
    const here = shelf({ month: "2026-10", bytes: 1_000 });
    const count = new MonthCount(here, () => month);
    await count.load();
    expect(count.bytes).toBe(0);
    count.add(70);
    month = "2026-12";
    expect(count.bytes).toBe(0);
    count.add(3);
    count.stop();
    expect(here.kept.at(-1)).toEqual({ month: "2026-12", bytes: 3 });
  });

  it("count on where nothing can be kept", async () => {
    const full: UsageShelf = {
      load: () => Promise.reject(new Error("denied")),
      save: () => Promise.reject(new Error("full")),
    };
    const count = new MonthCount(full, () => "2026-11");
    await count.load();
    count.add(10);
    vi.advanceTimersByTime(USAGE_SAVE_MS);
    expect(count.bytes).toBe(10);
  });

  it.each([
    [new Date(2026, 0, 1), "2026-01"],
    [new Date(2026, 11, 31, 23, 59), "2026-12"],
  ])("%s is in %s", (date, month) => {
    expect(monthOf(date)).toBe(month);
  });
});
