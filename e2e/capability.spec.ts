/** A tab is measured by its relay, and goes on working. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@playwright/test";
import { parsePeerId, type PeerId } from "../src/protocol/peer-id.ts";
import type { CapabilityRow } from "../src/protocol/relay-api.ts";
import { standingViewJson } from "../src/protocol/standing-json.ts";
import { connect } from "../src/sdk/index.ts";
import { ECHO } from "./support/functions.ts";
import { freePort, startRelayProcess } from "./support/relay-process.ts";
import { openProviderTab } from "./support/tab.ts";

const open: (() => Promise<unknown>)[] = [];
test.afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close().catch(() => undefined);
});

async function capabilityOf(url: string, peer: PeerId): Promise<readonly CapabilityRow[]> {
  const answer = await fetch(`${url}/v1/accounts/${peer}/standing`);
  return standingViewJson.read(await answer.json()).capability ?? [];
}

/** All that a tab without models is asked for, three challenges each. */
const ASKED: readonly string[] = ["fuel", "fuel-all", "memory", "wasm-rows", "wasm-row", "upstream"];

test(
  "a real tab answers real challenges: what it can do is measured, while it earns as before",
  { tag: "@long" },
  async () => {
    // Three challenges of each property, two seconds apart; a machine under load gives some back and is asked again after a minute.
    test.setTimeout(280_000);
    const dataDir = mkdtempSync(join(tmpdir(), "tabmesh-capability-"));
    const relay = await startRelayProcess({ dataDir, port: await freePort() });
    open.push(() => relay.kill());
    const tab = await openProviderTab(relay.url);
    open.push(() => tab.browser.close());
    const client = await connect({ relay: relay.url, iceServers: [] });
    open.push(() => client.close());

    const inputs = Array.from({ length: 20 }, (_, i) => new TextEncoder().encode(`input ${i}`));
    const work = async (): Promise<PeerId> => {
      const handle = await client.map(ECHO, inputs, { outputBytes: 65_536, fuel: 1_000_000_000n });
      const outputs: string[] = [];
      for await (const result of handle)
        if (result.kind === "done") outputs[result.index] = new TextDecoder().decode(result.output);
      expect(outputs).toEqual(inputs.map((_, i) => `input ${i}`));
      return parsePeerId((await handle.summary).leases[0]?.provider ?? "");
    };
    const provider = await work();

    const states = async (): Promise<Readonly<Record<string, string>>> =>
      Object.fromEntries(
        (await capabilityOf(relay.url, provider)).map(({ property, state }) => [property, state]),
      );
    await expect
      .poll(states, { timeout: 200_000 })
      .toMatchObject(Object.fromEntries(ASKED.map((property) => [property, "measured"])));
    const rows = await capabilityOf(relay.url, provider);
    for (const { property, value, unit, measuredAt } of rows) {
      console.log(`${property}: ${value.toLocaleString("en")} ${unit}`);
      expect(value).toBeGreaterThan(0);
      expect(measuredAt).toBeGreaterThan(0);
    }
    // No model has opened a graphics card in this tab, so none is spoken of.
    expect(rows.filter(({ property }) => property.startsWith("webgpu-"))).toEqual([]);
    expect(await work()).toBe(provider);
    expect(tab.errors).toEqual([]);
  },
);
