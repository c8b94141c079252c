import { describe, expect, it } from "vitest";
import { cidOf, DAG_CBOR } from "../protocol/cid.ts";
import type { ModelEntry } from "../protocol/model-entry.ts";
import type { PublishedModel } from "../sdk/index.ts";
import { signerFromSeed } from "../protocol/ed25519.ts";
import { printable } from "./chat/printable.ts";
import { pickModel } from "./pick-model.ts";

const { key: publisher } = await signerFromSeed(crypto.subtle, new Uint8Array(32).fill(1));
const relay = "http://localhost:1";

function modelOf(name: string, entry: ModelEntry): PublishedModel {
  const cid = cidOf(DAG_CBOR, new TextEncoder().encode(name));
  const sizes = { size: 2_048, memory: 4_096, context: 128, dimensions: entry === "embed" ? 512 : 0 };
  return { cid, name, entry, licence: "CC0-1.0", ...sizes, publisher, published: 1 };
}

const STORIES = modelOf("stories", "generate");
const SENTENCES = modelOf("sentences", "embed");

async function pick(models: readonly PublishedModel[], entry: ModelEntry, model?: string): Promise<string> {
  const from = { models: () => Promise.resolve(models) };
  const named = { relay, ...(model === undefined ? {} : { model }) };
  try {
    return await pickModel(from, entry, named);
  } catch (error) {
    const { what, advice = "" } = error as { what: string; advice?: string };
    return `${what} ${advice}`;
  }
}

describe("the model of a command", () => {
  it("is the only one of its kind, the one that is named, or any by its CID", async () => {
    expect(await pick([STORIES, SENTENCES], "generate")).toBe(STORIES.cid);
    expect(await pick([STORIES, SENTENCES], "embed", "sentences")).toBe(SENTENCES.cid);
    expect(await pick([], "embed", SENTENCES.cid)).toBe(SENTENCES.cid);
  });

  it("is asked for where there are several, none, none of that name, or one of another kind", async () => {
    expect(await pick([], "generate")).toMatch(/keeps no model that writes text\. .*model publish FILE/u);
    expect(await pick([STORIES], "embed")).toMatch(/keeps no model that turns texts into vectors/u);
    expect(await pick([STORIES, modelOf("more", "generate")], "generate")).toMatch(
      /2 models that write.*--model: stories \(2\.0 KiB\), more/u,
    );
    expect(await pick([STORIES], "generate", "novels")).toMatch(/named novels\. There is stories/u);
    expect(await pick([STORIES, SENTENCES], "generate", "sentences")).toMatch(
      /sentences is no model that writes text/u,
    );
  });
});

describe("text of a stranger", () => {
  it("cannot steer the terminal it is shown on", () => {
    expect(printable("a\tb\nc\u001b]0;title\u0007\u009b2J\r")).toBe(
      "a\tb\nc\u{fffd}]0;title\u{fffd}\u{fffd}2J\u{fffd}",
    );
  });
});
