/** OpenAI's interface over the mesh: that interface's own client, a real relay, keys of the command line, real tabs. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "@playwright/test";
import OpenAI, { APIError } from "openai";
import { HAS_STORIES, NO_STORIES } from "../src/inference/reference/stories.contract.ts";
import { createRelayClient } from "../src/mesh/relay-client.ts";
import { isCid } from "../src/protocol/cid.ts";
import { generateText } from "../src/relay/models/generate-text.ts";
import { openModel } from "../src/relay/models/open-model.ts";
import { publish, sentencesFile, slowFile, storiesFile } from "./support/mesh-models.ts";
import { openMortalTab } from "./support/mortal-tab.ts";
import { freePort, type RelayProcess, startRelayProcess } from "./support/relay-process.ts";
import { openProviderTab } from "./support/tab.ts";

const FOLDER = fileURLToPath(new URL("..", import.meta.url));
const PROMPT = "Once upon a time";
/** What the smallest model of llama2.c is documented to begin with, greedily. */
const STORY =
  ", there was a little girl named Lily. She loved to play outside in the park. One day, she saw a big, red ball.";
const LINES = [
  "We refund the full price if an item arrives broken.",
  "Our office is closed on public holidays.",
  "The battery lasts about ten hours.",
];
const QUERY = "How do I get my money back?";
/** Fewer tokens than the slow model writes in the time it takes to kill a browser. */
const SEED = 3;

const home = mkdtempSync(join(tmpdir(), "tabmesh-gateway-"));
const env = { ...process.env, TABMESH_HOME: join(home, "person") };
const open: (() => Promise<unknown>)[] = [];
let relay: RelayProcess;
let key: { readonly key: string; readonly apiKey: string };
let client: OpenAI;

if (!HAS_STORIES) console.log(NO_STORIES);
test.describe.configure({ mode: "serial", timeout: 180_000 });

test.beforeAll(async () => {
  relay = await startRelayProcess({ dataDir: join(home, "relay"), port: await freePort() });
  await publish(relay.url, await sentencesFile(home), "sentences");
  if (HAS_STORIES) {
    await publish(relay.url, await storiesFile(home), "stories");
    await publish(relay.url, slowFile(home), "slow");
  }
  key = await createKey("--cap", "5");
  client = clientOf(key.key);
});
test.afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close().catch(() => undefined);
});
test.afterAll(async () => {
  await relay.kill();
  rmSync(home, { recursive: true });
});

/** Runs a command that answers in JSON. */
async function tabmesh(...args: readonly string[]): Promise<unknown> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["src/cli/main.ts", ...args, "--relay", relay.url, "--json"],
    { cwd: FOLDER, env },
  );
  return JSON.parse(stdout);
}

/** A text within an answer. */
function textAt(answer: unknown, ...path: readonly string[]): string {
  let at: unknown = answer;
  for (const name of path) at = new Map<string, unknown>(Object.entries(at ?? {})).get(name);
  if (typeof at !== "string") throw new Error(`${path.join(".")} is no text`);
  return at;
}

async function createKey(...flags: readonly string[]): Promise<typeof key> {
  const made = await tabmesh("account", "key", "create", ...flags);
  return { key: textAt(made, "key"), apiKey: textAt(made, "apiKey") };
}

function clientOf(apiKey: string): OpenAI {
  return new OpenAI({ apiKey, baseURL: `${relay.url}/v1`, maxRetries: 0 });
}

async function tab(): Promise<void> {
  const { browser } = await openProviderTab(relay.url);
  open.push(() => browser.close());
}

async function refusal(work: PromiseLike<unknown>): Promise<InstanceType<typeof APIError>> {
  try {
    await work;
  } catch (error) {
    if (error instanceof APIError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

/** Micro-credits that the person's account has set aside. */
async function setAside(): Promise<bigint> {
  return BigInt(textAt(await tabmesh("account"), "account", "escrowed"));
}

test(
  "without a tab a request is told why it cannot be done; with a wrong key, that the key is wrong",
  { tag: "@long" },
  async () => {
    const input = { model: "sentences", input: QUERY };
    expect(await refusal(client.embeddings.create(input))).toMatchObject({
      status: 503,
      code: "no_provider",
      message: expect.stringContaining("no provider is connected"),
    });
    expect(await refusal(clientOf("tabmesh-wrong").embeddings.create(input))).toMatchObject({ status: 401 });
    expect(await setAside()).toBe(0n);
  },
);

test("sentences become vectors in a tab, with the bits of this machine", { tag: "@long" }, async () => {
  await tab();
  const { data, response } = await client.embeddings
    .create({ model: "sentences", input: [QUERY, ...LINES] })
    .withResponse();
  const opened = await openModel(join(home, "sentences.tmm"), "wasm");
  if (opened.kind !== "encoder") throw new Error("sentences become vectors");
  const here: number[][] = [];
  for await (const { vector } of opened.embedder.embed([QUERY, ...LINES]))
    here.push(Array.from(vector, (value) => value / 32_768));
  expect(data.data.map(({ embedding }) => embedding)).toEqual(here);
  expect(response.headers.get("x-tabmesh-receipt")).toMatch(/^bafy/u);
});

test("a tab writes the documented story, whole and streamed, and its account is paid by the key's", async () => {
  test.skip(!HAS_STORIES, NO_STORIES);
  await tab();
  const body = { model: "stories", prompt: PROMPT, max_tokens: 60, temperature: 0 } as const;
  const { data, response } = await client.completions.create(body).withResponse();
  expect(data.choices[0]!.text.startsWith(STORY)).toBe(true);
  expect(data.usage).toEqual({ prompt_tokens: 5, completion_tokens: 60, total_tokens: 65 });
  let streamed = "";
  let chunks = 0;
  for await (const chunk of await client.completions.create({ ...body, stream: true })) {
    streamed += chunk.choices[0]?.text ?? "";
    chunks += 1;
  }
  expect(streamed).toBe(data.choices[0]!.text);
  expect(chunks).toBeGreaterThan(2);
  const job = response.headers.get("x-tabmesh-job");
  if (!isCid(job)) throw new Error(`no job: ${job}`);
  const views = createRelayClient({ baseUrl: relay.url, fetch: (input, init) => fetch(input, init) });
  const [lease] = (await views.job(job)).leases;
  const { earned } = await views.account(lease!.provider);
  expect(earned).toBeGreaterThanOrEqual(lease!.amount);
  const used = textAt(await tabmesh("account", "key", "list"), "keys", "0", "used");
  expect(BigInt(used)).toBeGreaterThanOrEqual(lease!.amount);
});

test("a key with too small a cap buys nothing, and one that is revoked nothing more", async () => {
  test.skip(!HAS_STORIES, NO_STORIES);
  await tab();
  const body = { model: "slow", prompt: PROMPT, max_tokens: 400 } as const;
  const small = await createKey("--cap", "0.000001");
  expect(await refusal(clientOf(small.key).completions.create(body))).toMatchObject({
    status: 429,
    code: "insufficient_quota",
  });
  await tabmesh("account", "key", "revoke", small.apiKey);
  expect(await refusal(clientOf(small.key).completions.create(body))).toMatchObject({ status: 401 });
});

test(
  "a client that leaves in the middle ends the work in the tab, and the money is free again",
  { tag: "@long" },
  async () => {
    test.skip(!HAS_STORIES, NO_STORIES);
    const { browser, page } = await openProviderTab(relay.url);
    open.push(() => browser.close());
    const stream = await client.completions.create({
      model: "slow",
      prompt: PROMPT,
      max_tokens: 400,
      stream: true,
    });
    let told = 0;
    for await (const _ of stream) if ((told += 1) === 2) break;
    await expect.poll(() => setAside(), { timeout: 30_000 }).toBe(0n);
    await expect(page.getByText("Ready for work").first()).toBeVisible();
  },
);

test(
  "when the tab's browser is killed in the middle, another tab goes on with the same words",
  { tag: "@long" },
  async () => {
    test.skip(!HAS_STORIES, NO_STORIES);
    const [first, second] = [await openMortalTab(relay.url), await openMortalTab(relay.url)];
    open.push(
      () => first.close(),
      () => second.close(),
    );
    const most = 300;
    const body = {
      model: "slow",
      prompt: PROMPT,
      max_tokens: most,
      temperature: 1,
      seed: SEED,
      stream: true,
    } as const;
    let text = "";
    let chunks = 0;
    let killed: Promise<void> | undefined;
    let last: unknown;
    for await (const chunk of await client.completions.create(body)) {
      text += chunk.choices[0]?.text ?? "";
      chunks += 1;
      last = chunk;
      if (chunks < 5 || killed !== undefined) continue;
      const working = (await first.page.getByText("Working").count()) > 0 ? first : second;
      killed = working.kill();
    }
    await killed;
    expect(last).toMatchObject({ tabmesh: { receipts: [expect.any(String), expect.any(String)] } });
    const opened = await openModel(join(home, "slow.tmm"), "wasm");
    if (opened.kind !== "llama") throw new Error("it writes text");
    const seed = new Uint8Array(32);
    seed[0] = SEED;
    const sampling = { temperatureMilli: 1_000, topK: 0, topPMilli: 1_000, seed };
    const here = await generateText(
      opened,
      { prompt: PROMPT, mostTokens: most, sampling, stop: [] },
      () => undefined,
    );
    expect(text).toBe(here.text);
  },
);
