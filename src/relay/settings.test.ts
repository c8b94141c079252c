import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { DEFAULT_AUDIT_POLICY } from "../protocol/audit-policy.ts";
import { isLoopbackRelay, relayConfig } from "./config.ts";
import { ConfigError, parseRelayConfig, RELAY_SETTINGS } from "./settings.ts";

const folder = mkdtempSync(join(tmpdir(), "settings-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function policyFile(content: unknown): string {
  const path = join(folder, "policy.json");
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

function problemsOf(args: readonly string[], env: Record<string, string> = {}): readonly string[] {
  try {
    parseRelayConfig(args, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

test("without flags and environment the defaults hold, with two STUN servers", () => {
  const config = parseRelayConfig([], {});
  expect(config).toEqual(relayConfig());
  expect(config.iceServers).toHaveLength(2);
  expect(config).toMatchObject({ host: "127.0.0.1", port: 8787, grant: 10_000_000n });
});

test("a flag wins over the environment", () => {
  const env = { TABMESH_PORT: "1", TABMESH_NAME: "from the environment" };
  expect(parseRelayConfig(["--port", "2"], env)).toMatchObject({ port: 2, name: "from the environment" });
});

test("every setting has an effect", () => {
  const values: Record<string, string> = {
    host: "0.0.0.0",
    port: "1",
    "data-dir": "/x",
    origin: "relay.example/log",
    asset: "eip155:1/slip44:60",
    name: "n",
    "public-url": "https://relay.example",
    "trusted-proxies": "10.0.0.0/8, ::1",
    "metrics-from": "10.0.0.1",
    stun: "stun:a:1,stuns:b",
    turn: "turn:c:3478",
    "turn-username": "u",
    "turn-credential": "c",
    "price-gfuel": "1",
    "price-task": "2",
    "price-kib": "3",
    "price-instance": "4",
    grant: "5",
    "address-rate": "6/7",
    "connect-rate": "8/9",
    "identity-rate": "10/11",
    "key-rate": "14/15",
    egress: "public, http://127.0.0.1:9000",
    chains: "eip155:1=https://node.example/key,eip155:31337=http://127.0.0.1:8545",
    "ingress-origin": "https://run.example",
    contact: "mailto:operator@relay.example",
    "max-connections": "12",
    "owner-blocks": "16/56",
    "new-identities": "3",
    "blob-cap": "13",
    "model-cap": "7",
    "audit-threads": "3",
    "audit-policy": policyFile({ version: 2, floorPpm: 60_000, leaseFee: 3 }),
    "log-level": "debug",
    "static-dir": "/dist",
  };
  const switches = RELAY_SETTINGS.filter(({ value }) => value === undefined).map(({ flag }) => flag);
  expect([...Object.keys(values), ...switches].toSorted()).toEqual(
    RELAY_SETTINGS.map(({ flag }) => flag).toSorted(),
  );
  const args = Object.entries(values).flatMap(([flag, value]) => [`--${flag}`, value]);
  expect(parseRelayConfig(args, {})).toEqual({
    host: "0.0.0.0",
    port: 1,
    dataDir: "/x",
    origin: "relay.example/log",
    asset: "eip155:1/slip44:60",
    name: "n",
    publicUrl: "https://relay.example",
    trustedProxies: ["10.0.0.0/8", "::1"],
    metricsFrom: ["10.0.0.1"],
    iceServers: [
      { urls: ["stun:a:1"] },
      { urls: ["stuns:b"] },
      { urls: ["turn:c:3478"], username: "u", credential: "c" },
    ],
    tariff: { perGfuel: 1n, perTask: 2n, perKiB: 3n, perInstantiation: 4n },
    grant: 5n,
    addressRate: { burst: 6, perSecond: 7 },
    connectRate: { burst: 8, perSecond: 9 },
    identityRate: { burst: 10, perSecond: 11 },
    keyRate: { burst: 14, perSecond: 15 },
    ingressOrigin: "https://run.example",
    contact: "mailto:operator@relay.example",
    privateWebhooks: false,
    egress: { anyPublic: true, origins: ["http://127.0.0.1:9000"] },
    chains: { "eip155:1": "https://node.example/key", "eip155:31337": "http://127.0.0.1:8545" },
    gateway: true,
    maxConnections: 12,
    ownerBlocks: { ipv4: 16, ipv6: 56 },
    newIdentities: 3,
    blobCapBytes: 13 * 1024 * 1024,
    modelCapBytes: 7 * 1024 * 1024,
    auditThreads: 3,
    auditPolicy: { ...DEFAULT_AUDIT_POLICY, version: 2, floorPpm: 60_000, leaseFee: 3n },
    logLevel: "debug",
    staticDir: "/dist",
  });
  expect(parseRelayConfig(["--no-stun"], {}).iceServers).toEqual([]);
  expect(parseRelayConfig([], { TABMESH_NO_STUN: "1" }).iceServers).toEqual([]);
  expect(parseRelayConfig(["--no-gateway"], {}).gateway).toBe(false);
  expect(parseRelayConfig(["--private-webhooks"], {}).privateWebhooks).toBe(true);
});

test("everything that is wrong is told at once, by its flag", () => {
  const problems = problemsOf(
    ["--port", "65536", "--trusted-proxies", "10.0.0.0/40", "--public-url", "https://a.example/relay"],
    { TABMESH_LOG_LEVEL: "loud", TABMESH_ADDRESS_RATE: "fast" },
  );
  expect(problems.map((problem) => problem.split(" ")[0])).toEqual(
    expect.arrayContaining(["--port", "--public-url", "--trusted-proxies", "--address-rate", "--log-level"]),
  );
  expect(problems).toHaveLength(5);
});

test.each([
  [["--turn", "turn:c:3478"], /needs --turn-username/],
  [["--stun", "http://x"], /not a stun URL/],
  [["--origin", "two words"], /--origin/],
  [["--grant", "-1"], /grant/],
  [["--prot", "1"], /--prot/],
  [["stray"], /stray/],
])("%j is refused", (args, why) => {
  expect(problemsOf(args).join("\n")).toMatch(why);
});

test.each([
  ["{", /is not JSON/],
  [[1], /is not an object of numbers by name/],
  [{ floor: 1 }, /names no number of the policy: floor/],
  [{ floorPpm: "5 %" }, /has no whole number for floorPpm: "5 %"/],
  [{ floorPpm: -1 }, /has no whole number for floorPpm/],
  [
    { floorPpm: 2_000_000 },
    /has a number that is too large: 2000000 is not a whole number from 0 to 1000000/,
  ],
  [{ version: 0 }, /needs a version of 1 or more/],
  [{ peerPpm: 600_000, knownPpm: 600_000 }, /more than all together/],
  [{ auditorCheckTasks: 0 }, /too small/],
])("numbers of audits like %j are refused, with what is wrong", (content, why) => {
  expect(problemsOf(["--audit-policy", policyFile(content)]).join("\n")).toMatch(why);
  expect(problemsOf(["--audit-policy", "/nowhere/policy.json"])).toEqual([
    "--audit-policy cannot be read: /nowhere/policy.json",
  ]);
});

test("no thread for audits is refused", () => {
  expect(problemsOf(["--audit-threads", "0"])).toEqual(["--audit-threads is not at least 1"]);
});

test("a relay is loopback only when both its address and its public URL are", () => {
  expect(isLoopbackRelay({ host: "127.0.0.1" })).toBe(true);
  expect(isLoopbackRelay({ host: "localhost", publicUrl: "http://localhost:1" })).toBe(true);
  expect(isLoopbackRelay({ host: "127.0.0.1", publicUrl: "https://relay.example" })).toBe(false);
  expect(isLoopbackRelay({ host: "0.0.0.0" })).toBe(false);
});

test("credits are real by the asset's name alone, and no other relay's test credits", () => {
  expect(parseRelayConfig(["--asset", "eip155:1/slip44:60"], {}).asset).toBe("eip155:1/slip44:60");
  for (const wrong of ["EUR", "test:relay.example/log", "test:a/bcd:e", "eip155:1", "=ip155:1/slip44:60", ""])
    expect(problemsOf(["--asset", wrong])[0], wrong).toMatch(/^--asset is not a name such as/);
});
