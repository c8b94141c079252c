import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { openApi } from "../../src/relay/http/open-api.ts";
import { openRelayScene } from "../../src/relay/relay-scene.contract.ts";
import { HEAP_BOUND, HttpFuzz } from "./http-fuzz.ts";
import { type OpenApiDocument, operationsOf, templateOf } from "./http-operations.ts";
import { tries } from "../../src/protocol/tries.contract.ts";

/** The soak sends a million. */
const INPUTS: number = tries(2_000);
/** Not in the document, which is about what programs ask for: the page of who comes with a browser. */
const PAGES: ReadonlySet<string> = new Set(["GET /"]);

let folder = "";
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("the inputs are made from the relay's document, so", () => {
  it("every route of the relay is in it, and nothing that is no route", async () => {
    const relay = await openRelayScene();
    try {
      const documented = operationsOf(openApi("0") as unknown as OpenApiDocument).map(({ name }) => name);
      const routes = relay.http.routes
        .filter(({ method, path }) => method !== "ALL" && !path.endsWith("*"))
        .map(({ method, path }) => `${method} ${templateOf(path)}`)
        .filter((name) => !PAGES.has(name));
      expect([...new Set(documented)].toSorted()).toEqual([...new Set(routes)].toSorted());
    } finally {
      await relay.close();
    }
  });
});

it(
  "requests that nobody in his right mind would send neither crash a relay nor get a 5xx out of it, and honest work goes on",
  { timeout: 120_000 },
  async () => {
    folder = mkdtempSync(join(tmpdir(), "http-fuzz-"));
    const fuzz = await HttpFuzz.start(folder);
    let heaps: readonly number[] = [];
    try {
      await fuzz.run(0, INPUTS / 10);
      const before = await fuzz.held();
      await fuzz.run(INPUTS / 10, INPUTS);
      heaps = [before.heap, (await fuzz.held()).heap];
    } finally {
      await fuzz.stop();
    }
    // The first ones say enough.
    expect(fuzz.findings.slice(0, 5).map((finding) => finding.slice(0, 3_000))).toEqual([]);
    expect(fuzz.operations.filter(({ name }) => !fuzz.sent.has(name))).toEqual([]);
    // Not all are refused: what inputs are made from is good enough to get through.
    expect(fuzz.done.size).toBeGreaterThan(20);
    expect(fuzz.honest).toBeGreaterThan(20);
    const [before = 0, after = 0] = heaps;
    expect(after - before).toBeLessThan(HEAP_BOUND);
  },
);
