import { describe, expect, it } from "vitest";
import type { ModelManifest } from "../../protocol/model-manifest.ts";
import { bytesText, licenceText, modelUse, sourcesText } from "./model-words.ts";

const manifest: ModelManifest = {
  v: 1,
  entry: "generate",
  name: "stories",
  licence: "MIT",
  size: 1,
  memory: 1,
  context: 2_048,
  dimensions: 0,
  chunks: new Uint8Array(32),
};

function named(...names: readonly string[]): { readonly name: string }[] {
  return names.map((name) => ({ name }));
}

describe("words of models", () => {
  it("tell sizes as disks are sold", () => {
    expect([0, 12, 999, 1_200, 9_573_000, 144_000_000, 10_737_418_240].map(bytesText)).toEqual([
      "0 B",
      "12 B",
      "999 B",
      "1.20 kB",
      "9.57 MB",
      "144 MB",
      "10.7 GB",
    ]);
  });

  it("tell what a model is for", () => {
    expect(modelUse(manifest)).toBe("writes text, 2,048 positions");
    expect(modelUse({ ...manifest, entry: "embed", dimensions: 512 })).toBe("turns text into 512 numbers");
    expect([licenceText("MIT"), licenceText("unknown")]).toEqual(["MIT", "licence unknown"]);
  });

  it("tell whom chunks came from", () => {
    expect(sourcesText([])).toBeUndefined();
    expect(sourcesText(named("the relay"))).toBe("the relay");
    expect(sourcesText(named("peer a", "the relay"))).toBe("1 other tab and the relay");
    expect(sourcesText(named("peer a", "the requester", "peer b", "the relay"))).toBe(
      "2 other tabs, the requester and the relay",
    );
  });
});
