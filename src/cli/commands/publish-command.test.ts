import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chunkCid } from "../../protocol/model-manifest.ts";
import { relayConfig } from "../../relay/config.ts";
import { type ModelSample, modelSample } from "../../relay/models/publish/model-sample.contract.ts";
import { type Relay, startRelay } from "../../relay/start-relay.ts";
import { type Ended, runTabmesh } from "../command-line.contract.ts";
import { nameFrom } from "./publish-command.ts";

const folder = mkdtempSync(join(tmpdir(), "tabmesh-publish-"));
const file = join(folder, "random.tmm");
const dataDir = join(folder, "relay");
let relay: Relay;
let model: ModelSample;

function tabmesh(home: string, ...args: readonly string[]): Promise<Ended> {
  return runTabmesh(["model", ...args], { TABMESH_HOME: join(folder, home), TABMESH_RELAY: relay.url });
}

async function start(): Promise<Relay> {
  return startRelay(relayConfig({ port: 0, dataDir }), { log: pino({ level: "silent" }) });
}

beforeAll(async () => {
  model = await modelSample(3);
  writeFileSync(file, model.file);
  relay = await start();
});
afterAll(async () => {
  await relay.stop();
  rmSync(folder, { recursive: true });
});

describe("tabmesh model publish", { timeout: 60_000 }, () => {
  it("sends what the relay lacks, and is listed and inspected under one CID", async () => {
    expect((await tabmesh("ada", "list")).stdout).toBe("This relay publishes no models.\n");
    // As an earlier attempt that was broken off has left it.
    const chunk = model.blobs[1]!;
    await fetch(`${relay.url}/v1/blobs/${chunk.cid}`, { method: "PUT", body: chunk.bytes });
    const published = await tabmesh("ada", "publish", file, "--json");
    expect(published).toMatchObject({ exit: 0, stderr: "" });
    expect(JSON.parse(published.stdout)).toMatchObject({
      ok: true,
      name: "random-3",
      cid: model.cid,
      bytesSent: model.file.length - chunk.bytes.length,
    });
    const inspected = JSON.parse((await tabmesh("ada", "inspect", file, "--json")).stdout) as object;
    expect(inspected).toMatchObject({ cid: model.cid, memoryBytes: model.manifest.memory, chunks: 3 });
    const { stdout } = await tabmesh("ada", "list");
    expect(stdout).toContain("random-3");
    expect(stdout).toContain(model.cid);
    const stored = readdirSync(join(dataDir, "blobs"));
    for (let i = 0; i < 3; i += 1) expect(stored).toContain(chunkCid(model.manifest, i));
    expect(statSync(join(dataDir, "blobs", chunkCid(model.manifest, 2))).size).toBe(
      model.blobs[3]!.bytes.length,
    );
  });

  it("sends nothing again, under another name", async () => {
    const again = await tabmesh("ada", "publish", file, "--name", "stories", "--json");
    expect(JSON.parse(again.stdout)).toMatchObject({ ok: true, name: "stories", bytesSent: 0 });
  });

  it("is still there when the relay comes back", async () => {
    await relay.stop();
    relay = await start();
    const { stdout } = await tabmesh("ada", "list", "--json");
    const { models } = JSON.parse(stdout) as { models: { name: string }[] };
    expect(models.map(({ name }) => name)).toEqual(["random-3", "stories"]);
  });

  it("leaves another one's name alone, and takes its own back", async () => {
    const taken = await tabmesh("bob", "publish", file, "--name", "stories");
    expect(taken.exit).toBe(1);
    expect(taken.stderr).toContain("belongs to");
    expect((await tabmesh("bob", "unpublish", "stories")).exit).toBe(1);
    expect((await tabmesh("ada", "unpublish", "stories")).stdout).toContain("published no more");
    expect((await tabmesh("ada", "unpublish", "stories")).stderr).toContain(
      "no model is published as stories",
    );
    expect((await tabmesh("ada", "list")).stdout).not.toContain("stories");
  });

  it("says what is wrong with a file or name", async () => {
    const notes = join(folder, "notes.tmm");
    writeFileSync(notes, "to keep");
    expect((await tabmesh("ada", "publish", notes)).stderr).toContain("does not begin with");
    expect((await tabmesh("ada", "publish", join(folder, "none.tmm"))).exit).toBe(1);
    expect((await tabmesh("ada", "publish", file, "--name", "Two Words")).exit).toBe(2);
  });
});

it("a model's own name becomes one that relays take", () => {
  expect(nameFrom("SmolLM2 135M Instruct")).toBe("smollm2-135m-instruct");
  expect(nameFrom("  ./Models/É x")).toBe("models-x");
  expect(() => nameFrom("模型")).toThrow("no name");
});
