/** Models over the mesh: a real relay that publishes them, real tabs that run them, and requesters that check. */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Browser, expect, type Page, test } from "@playwright/test";
import { HAS_STORIES, NO_STORIES } from "../src/inference/reference/stories.contract.ts";
import { generateText, transcriptToJson, verifyWith } from "../src/relay/models/generate-text.ts";
import { openModel } from "../src/relay/models/open-model.ts";
import { connect, type Generation, type PublishedModel, rank, type Tabmesh } from "../src/sdk/index.ts";
import { publish, sentencesFile, slowFile, storiesFile } from "./support/mesh-models.ts";
import { openMortalTab } from "./support/mortal-tab.ts";
import { freePort, type RelayProcess, startRelayProcess } from "./support/relay-process.ts";
import { launchChromium, openProviderTab, watchBlobs } from "./support/tab.ts";

const FOLDER = fileURLToPath(new URL("..", import.meta.url));

/** What the smallest model of llama2.c is documented to write, greedily. */
const STORY = `, there was a little girl named Lily. She loved to play outside in the park. One day, she saw a big, red ball. She wanted to play with it, but it was too high.
Lily's mom said, "Lily, let's go to the park." Lily was sad and didn't know what to do. She said, "I want to play with your ball, but I can't find it."`;

const LINES = [
  "Returns are accepted within 30 days of delivery.",
  "Our office is closed on public holidays.",
  "We refund the full price if an item arrives broken.",
  "The battery lasts about ten hours.",
];
const QUERY = "How do I get my money back?";

const home = mkdtempSync(join(tmpdir(), "tabmesh-models-"));
let relay: RelayProcess;
let sentences: PublishedModel;
let stories: PublishedModel | undefined;
const open: (() => Promise<unknown>)[] = [];

if (!HAS_STORIES) console.log(NO_STORIES);
test.describe.configure({ mode: "serial", timeout: 180_000 });

test.beforeAll(async () => {
  relay = await startRelayProcess({ dataDir: join(home, "relay"), port: await freePort() });
  sentences = await publish(relay.url, await sentencesFile(home), "sentences");
  if (!HAS_STORIES) return;
  stories = await publish(relay.url, await storiesFile(home), "stories");
});
test.afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close().catch(() => undefined);
});
test.afterAll(async () => {
  await relay.kill();
  rmSync(home, { recursive: true });
});

async function requester(): Promise<Tabmesh> {
  const tabmesh = await connect({ relay: relay.url, iceServers: [] });
  open.push(() => tabmesh.close());
  return tabmesh;
}

async function provider(): Promise<Page> {
  const tab = await openProviderTab(relay.url);
  open.push(() => tab.browser.close());
  return tab.page;
}

async function textOf(generation: Generation, onPiece: () => void = () => undefined): Promise<string> {
  let text = "";
  for await (const piece of generation) {
    text += piece.text;
    onPiece();
  }
  return text;
}

test("a tab writes the documented story, word by word, and anybody can recompute it", async () => {
  test.skip(!HAS_STORIES, NO_STORIES);
  await provider();
  const tabmesh = await requester();
  const generation = tabmesh.generate("stories", { text: "Once upon a time", maxTokens: 180 });
  let pieces = 0;
  const text = await textOf(generation, () => (pieces += 1));
  expect(text.startsWith(STORY)).toBe(true);
  expect(pieces).toBeGreaterThan(2);
  const result = await generation.result;
  expect(result).toMatchObject({ text, end: "length", promptTokens: 5, completionTokens: 180 });
  expect(result.transcript.model).toBe(stories?.cid);
  expect(result.providers).toHaveLength(1);
  expect(result.summary.leases[0]).toMatchObject({ receiptVerified: true, inclusionVerified: true });
  expect(result.summary.leases[0]?.transport).toMatchObject({ kind: "webrtc", limited: false });
  const opened = await openModel(join(home, "stories.tmm"), "wasm");
  if (opened.kind !== "llama") throw new Error("stories write text");
  const verdict = await verifyWith(opened, transcriptToJson(result.transcript));
  expect(verdict).toEqual({ kind: "holds", positions: 184 });
});

test(
  "the same seed draws the same text in a tab and here; a stop text ends it; the reader may leave",
  { tag: "@long" },
  async () => {
    test.skip(!HAS_STORIES, NO_STORIES);
    await provider();
    const tabmesh = await requester();
    const seed = new Uint8Array(32).fill(7);
    const drawn = { text: "Once upon a time", maxTokens: 60, temperature: 0.9, topK: 40, topP: 0.95, seed };
    const there = await tabmesh.generate("stories", drawn).result;
    const opened = await openModel(join(home, "stories.tmm"), "wasm");
    if (opened.kind !== "llama") throw new Error("stories write text");
    const sampling = { temperatureMilli: 900, topK: 40, topPMilli: 950, seed };
    const request = { prompt: drawn.text, mostTokens: 60, sampling, stop: [] };
    const here = await generateText(opened, request, () => undefined);
    expect(there.text).toBe(here.text);
    expect(there.transcript).toEqual(here.transcript);
    const stopped = await tabmesh.generate("stories", { text: "Once upon a time", stop: ["Lily"] }).result;
    expect(stopped).toMatchObject({ text: ", there was a little girl named ", end: "stop" });
    const left = tabmesh.generate("stories", { text: "Once upon a time", maxTokens: 400 });
    for await (const piece of left) if (piece.tokens.length > 0) break;
    await expect(left.result).rejects.toThrow("cancelled");
    expect(await left.summary).toMatchObject({ cancelled: true });
  },
);

test(
  "a browser is killed in the middle of a text: another tab goes on with the same words",
  { tag: "@long" },
  async () => {
    test.skip(!HAS_STORIES, NO_STORIES);
    await publish(relay.url, slowFile(home), "slow");
    const [first, second] = [await openMortalTab(relay.url), await openMortalTab(relay.url)];
    open.push(
      () => first.close(),
      () => second.close(),
    );
    const tabmesh = await requester();
    const seed = new Uint8Array(32).fill(3);
    const request = { text: "Once upon a time", maxTokens: 400, temperature: 1, seed };
    const generation = tabmesh.generate("slow", request, { noProviderTimeoutMs: 120_000 });
    let killed: Promise<void> | undefined;
    let before = 0;
    for await (const piece of generation) {
      before += killed === undefined ? piece.tokens.length : 0;
      if (before < 20 || killed !== undefined) continue;
      const working = (await first.page.getByText("Working").count()) > 0 ? first : second;
      killed = working.kill();
    }
    await killed;
    const result = await generation.result;
    expect(before).toBeLessThan(400);
    expect(result).toMatchObject({ completionTokens: 400, end: "length" });
    expect(result.providers).toHaveLength(2);
    const opened = await openModel(join(home, "slow.tmm"), "wasm");
    if (opened.kind !== "llama") throw new Error("it writes text");
    const sampling = { temperatureMilli: 1_000, topK: 0, topPMilli: 1_000, seed };
    const here = await generateText(
      opened,
      { prompt: request.text, mostTokens: 400, sampling, stop: [] },
      () => undefined,
    );
    expect(result.text).toBe(here.text);
    expect(result.transcript).toEqual(here.transcript);
  },
);

test(
  "lines are ranked on the page of searching, computed by another tab, which loads the model once",
  { tag: "@long" },
  async () => {
    const page = await provider();
    const asked = watchBlobs(page);
    const browser: Browser = await launchChromium();
    open.push(() => browser.close());
    const searcher = await browser.newPage();
    const errors: string[] = [];
    searcher.on("pageerror", (error) => errors.push(error.message));
    await searcher.goto(`${relay.url}/#/search`);
    await search(searcher);
    const ranked = await searcher.locator(".ranked-text").allTextContents();
    const { vectors } = await locally([QUERY, ...LINES]);
    expect(ranked).toEqual(rank(vectors[0]!, vectors.slice(1)).map(({ index }) => LINES[index]));
    expect(ranked[0]).toMatch(/refund|Returns/u);
    await expect(searcher.getByText("Receipt verified")).toBeVisible();
    await expect(searcher.getByText(/is entry \d+ of its log/u)).toBeVisible();
    await searcher.setViewportSize({ width: 390, height: 844 });
    expect(
      await searcher.evaluate(() => document.documentElement.scrollWidth - innerWidth),
    ).toBeLessThanOrEqual(0);
    expect(asked.length).toBeGreaterThan(Math.floor(sentences.size / 2 ** 20));
    asked.length = 0;
    await page.reload();
    await page.getByRole("switch").click();
    await expect(page.getByText("Ready for work").first()).toBeVisible({ timeout: 30_000 });
    await search(searcher);
    expect(await searcher.locator(".ranked-text").allTextContents()).toEqual(ranked);
    // The manifest is named by its hash and small; of the file itself nothing is asked for again.
    expect(asked.filter((path) => !path.endsWith(sentences.cid))).toEqual([]);
    expect(errors).toEqual([]);
  },
);

async function search(page: Page): Promise<void> {
  await page.getByLabel("Lines to search").fill(LINES.join("\n"));
  await page.getByLabel("Looking for").fill(QUERY);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: /Closest to/u })).toBeFocused({ timeout: 60_000 });
}

async function locally(texts: readonly string[]): Promise<{ readonly vectors: readonly Int16Array[] }> {
  const opened = await openModel(join(home, "sentences.tmm"), "wasm");
  if (opened.kind !== "encoder") throw new Error("sentences become vectors");
  const vectors: Int16Array[] = [];
  for await (const { vector } of opened.embedder.embed(texts)) vectors.push(vector);
  return { vectors };
}

test("a search without any tab says what to do, and can be cancelled", { tag: "@long" }, async () => {
  const browser = await launchChromium();
  open.push(() => browser.close());
  const page = await browser.newPage();
  await page.goto(`${relay.url}/#/search`);
  await page.getByRole("button", { name: "Fill in an example" }).click();
  await page.getByRole("button", { name: "Search" }).click();
  await expect(page.getByText(/no provider|Looking for tabs/u).first()).toBeVisible();
  await page.getByRole("button", { name: "Cancel" }).click();
  await expect(page.getByText("Cancelled")).toBeVisible();
  await page.getByRole("button", { name: "Search" }).click();
  await expect(page.getByText(/no provider|Looking for tabs/u).first()).toBeVisible();
  // It is one button. The next search does not wait until the end of the last one has been told to all.
  await page.getByRole("button", { name: "Cancel" }).evaluate(async (button: HTMLElement) => {
    button.click();
    await new Promise((resolve) => setTimeout(resolve));
    button.click();
  });
  await expect(page.getByText(/no provider|Looking for tabs/u).first()).toBeVisible();
  await page.getByRole("button", { name: "Cancel" }).click();
  await expect(page.getByText("Cancelled")).toBeVisible();
});

test("the command line embeds, ranks and chats, each vector with the bits of this machine", async () => {
  test.skip(!HAS_STORIES, NO_STORIES);
  await provider();
  const run = promisify(execFile);
  const env = { ...process.env, TABMESH_HOME: join(home, "person"), TABMESH_RELAY: relay.url };
  const tabmesh = async (...args: readonly string[]): Promise<string> => {
    const { stdout } = await run(process.execPath, ["src/cli/main.ts", ...args, "--yes"], {
      cwd: FOLDER,
      env,
    });
    return stdout;
  };
  const told = JSON.parse(await tabmesh("embed", "--json", "--query", QUERY, ...LINES)) as {
    readonly vectors: readonly (readonly number[])[];
    readonly ranked: readonly { readonly text: string }[];
  };
  const { vectors } = await locally([QUERY, ...LINES]);
  expect(told.vectors).toEqual(vectors.map((vector) => Array.from(vector)));
  expect(told.ranked[0]?.text).toMatch(/refund|Returns/u);
  const transcript = join(home, "t.json");
  const chat = [
    "chat",
    "--model",
    "stories",
    "--raw",
    "--prompt",
    "Once upon a time",
    "--max-tokens",
    "40",
    "-q",
  ];
  const text = await tabmesh(...chat, "--save-transcript", transcript);
  expect(STORY.startsWith(text.trimEnd())).toBe(true);
  expect(existsSync(transcript)).toBe(true);
  const opened = await openModel(join(home, "stories.tmm"), "wasm");
  if (opened.kind !== "llama") throw new Error("stories write text");
  expect(await verifyWith(opened, JSON.parse(readFileSync(transcript, "utf8")))).toMatchObject({
    kind: "holds",
  });
});
