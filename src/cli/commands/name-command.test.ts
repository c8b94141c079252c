import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { cidOf, RAW } from "../../protocol/cid.ts";
import { relayConfig } from "../../relay/config.ts";
import { type Relay, startRelay } from "../../relay/start-relay.ts";
import type { Ended } from "../command-line.contract.ts";
import { type FunctionProvider, startFunctionProvider } from "../function-provider.contract.ts";
import { runHere } from "../run-here.contract.ts";

const NOOP = join(import.meta.dirname, "..", "..", "..", "examples", "noop", "noop.wasm");

let folder = "";
let relay: Relay;
let providers: readonly FunctionProvider[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tabmesh-name-"));
  relay = await startRelay(
    relayConfig({ port: 0, dataDir: ":memory:", iceServers: [], logLevel: "silent", auditThreads: 1 }),
  );
  const module = new Uint8Array(readFileSync(NOOP));
  providers = await Promise.all([1, 2].map(() => startFunctionProvider(relay.url, { module })));
  writeFileSync(
    join(folder, "named.yaml"),
    `v: 1
name: named
params: {word: text}
nodes:
  same:
    kind: call
    callee: {kind: function, cid: ${cidOf(RAW, module)}, entry: tabmesh_run, abi: bytes-1}
    input: $word
    output: text
    place: {at: name, name: echoes}
result: same
`,
  );
}, 60_000);

afterAll(async () => {
  await Promise.all(providers.map((each) => each.vanish()));
  await relay.stop();
  rmSync(folder, { recursive: true });
});

function tabmesh(who: string, ...args: readonly string[]): Promise<Ended> {
  return runHere(join(folder, who), [...args, "--relay", relay.url]);
}

it("a name is taken, leads a plan's step to its peers, is shown and listed, and is nobody else's", async () => {
  const [chosen, other] = providers;
  if (chosen === undefined || other === undefined) throw new Error("two providers");
  const set = await tabmesh("owner", "name", "set", "echoes", "--peer", chosen.peer);
  expect([set.exit, set.stdout]).toEqual([
    0,
    expect.stringContaining(`echoes stands for ${chosen.peer} (here)`),
  ]);
  const run = ["plan", "run", join(folder, "named.yaml"), "-p", "word=hello", "--with", NOOP, "--yes", "-q"];
  const ran = await tabmesh("owner", ...run);
  expect([ran.exit, ran.stdout]).toEqual([0, "hello"]);
  expect([chosen.begun, other.begun]).toEqual([1, 0]);

  expect((await tabmesh("owner", "name", "set", "echoes", "--peer", other.peer)).exit).toBe(0);
  expect((await tabmesh("owner", ...run)).exit).toBe(0);
  expect([chosen.begun, other.begun]).toEqual([1, 1]);

  const shown = await tabmesh("stranger", "name", "show", "echoes", "--json");
  expect(JSON.parse(shown.stdout)).toMatchObject({
    ok: true,
    name: { name: "echoes", peers: [{ peer: other.peer, online: true }] },
  });
  const taken = await tabmesh("stranger", "name", "set", "echoes", "--peer", chosen.peer);
  expect([taken.exit, taken.stderr]).toEqual([1, expect.stringContaining("belongs to")]);
  expect((await tabmesh("stranger", "name", "list")).stdout).toContain("no names");
  expect((await tabmesh("owner", "name", "list")).stdout).toContain(`echoes stands for ${other.peer} (here)`);
}, 60_000);

it("what is wrong with a command line or a name is said", async () => {
  const both = await tabmesh("owner", "name", "set", "echoes");
  expect([both.exit, both.stderr]).toEqual([2, expect.stringContaining("--peer, once or more, or --plan")]);
  expect((await tabmesh("owner", "name", "set", "No Name", "--plan", "x")).exit).toBe(2);
  const none = await tabmesh("owner", "name", "show", "nobodys");
  expect([none.exit, none.stderr]).toEqual([1, expect.stringContaining("nobody has registered")]);
});
