import { describe, expect, it } from "vitest";
import { cidOf, RAW } from "../protocol/cid.ts";
import { MAX_SHOWN_STEP_BYTES, MAX_SHOWN_STEPS } from "./limits.ts";
import { createMemoryNetwork } from "./memory-mesh.ts";
import { exchangeRun, serveRuns } from "./run-exchange.ts";

const RUN = cidOf(RAW, new Uint8Array(1));

/** What somebody gets who asks a peer that has these envelopes. */
async function shown(envelopes: readonly Uint8Array[]): Promise<readonly Uint8Array[]> {
  const network = createMemoryNetwork();
  const [asks, shows] = [network.join("asks"), network.join("shows")];
  await Promise.all([asks.start(), shows.start()]);
  serveRuns(shows, { admit: async () => undefined, learn: async () => undefined, since: () => envelopes });
  try {
    return await exchangeRun(
      asks,
      shows.addresses(),
      { run: RUN, access: new Uint8Array(1), from: 0, news: [] },
      AbortSignal.timeout(10_000),
    );
  } finally {
    await Promise.all([asks.stop(), shows.stop()]);
  }
}

describe("a peer that shows receipts of a run", () => {
  it("is heard as far as receipts of one peer are kept", async () => {
    const envelope = new Uint8Array(100).fill(7);
    const read = await shown(Array.from({ length: 600 }, () => envelope));
    expect(read).toHaveLength(600);
    expect(read.at(-1)).toEqual(envelope);
  });

  it("fills nobody's memory: beyond what is kept of one peer nothing of it counts", async () => {
    const small = new Uint8Array(1);
    const many = Array.from({ length: MAX_SHOWN_STEPS + 1 }, () => small);
    await expect(shown(many)).rejects.toThrow("more receipts than are kept of one");
    const wide = new Uint8Array(50_000);
    const large = Array.from({ length: MAX_SHOWN_STEP_BYTES / wide.length + 1 }, () => wide);
    await expect(shown(large)).rejects.toThrow("more receipts than are kept of one");
  });
});
