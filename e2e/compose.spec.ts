import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@playwright/test";
import { connect } from "../src/sdk/index.ts";
import { runComposed } from "./support/composed-run.ts";
import { openMortalTab } from "./support/mortal-tab.ts";
import { freePort, startRelayProcess } from "./support/relay-process.ts";

test(
  "a plan goes on while a tab is killed, another is stopped, and whoever started it is gone",
  { tag: "@long" },
  async () => {
    test.setTimeout(120_000);
    const folder = await mkdtemp(join(tmpdir(), "tabmesh-compose-"));
    const relay = await startRelayProcess({ dataDir: join(folder, "relay"), port: await freePort() });
    const tabs = await Promise.all([1, 2, 3, 4].map(() => openMortalTab(relay.url)));
    const holder = await connect({ relay: relay.url, iceServers: [] });
    try {
      const [killed, stunned] = tabs;
      const done = await runComposed({
        relay: relay.url,
        holder,
        folder: join(folder, "run"),
        width: 4,
        depth: 5,
        before: [() => killed?.kill()],
        after: [() => stunned?.stun(true)],
        log: () => undefined,
      });
      expect(done.value).toEqual(done.expected);
      expect(done.problems).toEqual([]);
      expect(done.paidTwice).toBe(0);
      expect(done.summary.spent).toBeLessThanOrEqual(done.summary.budget);
    } finally {
      await holder.close();
      tabs[1]?.stun(false);
      await Promise.allSettled(tabs.map((tab) => tab.close()));
      await relay.kill();
      await rm(folder, { recursive: true, force: true });
    }
  },
);
