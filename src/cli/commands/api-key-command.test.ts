import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { relayConfig } from "../../relay/config.ts";
import { type Relay, startRelay } from "../../relay/start-relay.ts";
import { type Ended, runTabmesh } from "../command-line.contract.ts";
import { meshGateway } from "../gateway/mesh-gateway.ts";

let home = "";
let relay: Relay;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "tabmesh-keys-"));
  const config = relayConfig({ port: 0, dataDir: ":memory:", iceServers: [], logLevel: "silent" });
  relay = await startRelay(config, { gateway: meshGateway });
});
afterAll(async () => {
  await relay.stop();
  await rm(home, { recursive: true });
});

function keys(...args: readonly string[]): Promise<Ended> {
  return runTabmesh(["account", "key", ...args, "--relay", relay.url], { TABMESH_HOME: home });
}

test("a key is shown once, listed by its label and cap, and counts no more when it is revoked", async () => {
  const made = await keys("create", "--label", "notebook", "--cap", "0.5", "--expires", "30d");
  expect(made.exit).toBe(0);
  const [key = ""] = made.stdout.split("\n");
  expect(key).toMatch(/^tabmesh-[0-9a-f]{64}$/u);
  expect(made.stdout).toContain(`${relay.url}/v1`);
  const listed = await keys("list");
  expect(listed.stdout).not.toContain(key);
  expect(listed.stdout).toMatch(/^bafy\S+\n {2}notebook {2}0\.00 of 0\.50 a day {2}until \d{4}-/u);
  const ask = (): Promise<Response> =>
    fetch(`${relay.url}/v1/embeddings`, {
      method: "POST",
      headers: { Authorization: `Bearer ${key}` },
      body: JSON.stringify({ model: "none", input: "a" }),
    });
  expect((await ask()).status).toBe(404);
  expect((await keys("revoke", "notebook")).stdout).toMatch(/^Revoked bafy/u);
  expect((await ask()).status).toBe(401);
  expect((await keys("list")).stdout).toContain("revoked ");
});

test("what is wrong with a command line or a name is said", async () => {
  const unknown = await keys("revoke", "nobody");
  expect([unknown.exit, unknown.stderr]).toEqual([1, expect.stringContaining("No key is called nobody.")]);
  const twice = [
    await keys("create", "--label", "twin"),
    await keys("create", "--label", "twin", "--per", "total"),
  ];
  expect(twice.map(({ exit }) => exit)).toEqual([0, 0]);
  expect((await keys("revoke", "twin")).stderr).toContain("2 keys are called twin.");
  expect((await keys("create", "--expires", "soon")).exit).toBe(2);
  expect((await keys("create", "--cap", "much")).exit).toBe(2);
});
