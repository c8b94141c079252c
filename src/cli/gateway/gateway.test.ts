import { randomBytes, webcrypto } from "node:crypto";
import OpenAI, { APIError } from "openai";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { encoderModel, type TestModel, writerModel } from "../../inference/host/models.contract.ts";
import { parseCid } from "../../protocol/cid.ts";
import { signerFromSeed } from "../../protocol/ed25519.ts";
import { openEnvelope, readBody } from "../../protocol/envelope.ts";
import { decodeEntry, decodeEntryOf } from "../../protocol/messages/entry.ts";
import { type Lease, leaseMessage } from "../../protocol/messages/lease.ts";
import { receiptMessage, reportMessage } from "../../protocol/messages/receipt.ts";
import { relayConfig } from "../../relay/config.ts";
import { type Relay, startRelay } from "../../relay/start-relay.ts";
import { createApiKey, listApiKeys, type MadeApiKey, revokeApiKey } from "../../sdk/index.ts";
import { meshGateway } from "./mesh-gateway.ts";
import { type NodeProvider, publish, startNodeProvider } from "./node-provider.contract.ts";

/** Messages of a conversation, one behind the other: what a model of random weights goes on with. */
const TEMPLATE = "{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}";
const CREDIT = 1_000_000n;

let writer: TestModel;
let encoder: TestModel;
let relay: Relay;
let providers: NodeProvider[] = [];

beforeAll(async () => {
  [writer, encoder] = await Promise.all([writerModel({ chatTemplate: TEMPLATE }), encoderModel()]);
  relay = await startRelay(
    relayConfig({ port: 0, dataDir: ":memory:", iceServers: [], logLevel: "silent" }),
    { gateway: meshGateway },
  );
  await publish(relay.url, "writer", writer);
  await publish(relay.url, "encoder", encoder);
}, 60_000);
afterAll(() => relay.stop());
afterEach(async () => {
  await Promise.all(providers.splice(0).map((each) => each.vanish()));
  await expect.poll(() => offers(), { timeout: 10_000 }).toBe(0);
});

/** Providers that the relay would give work to. */
async function offers(): Promise<number> {
  const metrics = await (await fetch(`${relay.url}/metrics`)).text();
  return Number(/^tabmesh_offers (\d+)/mu.exec(metrics)?.[1]);
}

async function provider(options: Parameters<typeof startNodeProvider>[2] = {}): Promise<NodeProvider> {
  const started = await startNodeProvider(relay.url, [writer, encoder], options);
  providers.push(started);
  return started;
}

interface Account {
  readonly seed: Uint8Array;
  readonly made: MadeApiKey;
  readonly client: OpenAI;
}

function clientOf(apiKey: string): OpenAI {
  return new OpenAI({ apiKey, baseURL: `${relay.url}/v1`, maxRetries: 0 });
}

/** A new account, which the relay grants test credits, with a key. */
async function account(options: Partial<Parameters<typeof createApiKey>[1]> = {}): Promise<Account> {
  const seed = new Uint8Array(randomBytes(32));
  const made = await createApiKey({ relay: relay.url, seed }, { cap: CREDIT, ...options });
  return { seed, made, client: clientOf(made.key) };
}

const PROMPT = { model: "writer", prompt: "ab ab", max_tokens: 12, temperature: 0 } as const;
const TALK: OpenAI.ChatCompletionCreateParamsNonStreaming = {
  model: "writer",
  messages: [{ role: "user", content: "ab ab" }],
  max_tokens: 12,
  temperature: 0,
};

async function refusal(work: PromiseLike<unknown>): Promise<InstanceType<typeof APIError>> {
  try {
    await work;
  } catch (error) {
    if (error instanceof APIError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

describe("a request that cannot be done", () => {
  let client: OpenAI;
  beforeEach(async () => {
    client = (await account()).client;
  });

  test("without a key, or with one that nobody made, is refused as unauthorised", async () => {
    for (const key of ["sk-nobody", `tabmesh-${"0".repeat(64)}`]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const error = await refusal(clientOf(key).chat.completions.create(TALK));
      expect(error).toBeInstanceOf(OpenAI.AuthenticationError);
      expect(error).toMatchObject({ status: 401, code: "invalid_api_key", type: "authentication_error" });
      expect(error.message).not.toContain(key);
    }
    const bare = await fetch(`${relay.url}/v1/completions`, { method: "POST", body: JSON.stringify(PROMPT) });
    expect(bare.status).toBe(401);
    expect(await bare.json()).toMatchObject({
      error: { code: "invalid_api_key", message: expect.stringContaining("Bearer") },
    });
  });

  test("for a model that is not there names the model", async () => {
    const error = await refusal(client.chat.completions.create({ ...TALK, model: "gpt-4" }));
    expect(error).toBeInstanceOf(OpenAI.NotFoundError);
    expect(error).toMatchObject({ code: "model_not_found", param: "model" });
  });

  test("for a model that does something else says which path it has", async () => {
    const error = await refusal(client.embeddings.create({ model: "writer", input: "ab" }));
    expect(error).toMatchObject({ status: 400, param: "model" });
    expect(error.message).toContain("/v1/chat/completions");
  });

  test.each<[string, object]>([
    ["n", { n: 2 }],
    ["tools", { tools: [{ type: "function", function: { name: "f", parameters: {} } }] }],
    ["logprobs", { logprobs: true }],
    ["response_format", { response_format: { type: "json_object" } }],
    ["logit_bias", { logit_bias: { "50256": -100 } }],
    ["frequency_penalty", { frequency_penalty: 0.5 }],
    ["temperature", { temperature: 2.5 }],
    ["top_p", { top_p: -1 }],
    ["max_completion_tokens", { max_completion_tokens: 0 }],
    ["seed", { seed: 1.5 }],
    ["stop", { stop: Array.from({ length: 17 }, (_, i) => `stop ${i}`) }],
    ["stream_options", { stream_options: { include_usage: true } }],
    ["modalities", { modalities: ["text", "audio"] }],
    ["reasoning_effort", { reasoning_effort: "high" }],
    ["min_p", { min_p: 0.1 }],
    ["messages", { messages: [] }],
    ["messages[0].role", { messages: [{ role: "tool", content: "x", tool_call_id: "1" }] }],
    ["messages[0].name", { messages: [{ role: "user", content: "x", name: "me" }] }],
    [
      "messages[0].content[1].type",
      {
        messages: [
          {
            role: "user",
            content: [
              { type: "text", text: "x" },
              { type: "image_url", image_url: { url: "data:," } },
            ],
          },
        ],
      },
    ],
  ])("because of %s is refused by that name, and not without it", async (param, changes) => {
    const body = { ...TALK, ...changes };
    const error = await refusal(client.chat.completions.create(body));
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error).toMatchObject({ type: "invalid_request_error", param });
    expect(error.message).toContain(param);
  });

  test.each<[string, object]>([
    ["prompt", { prompt: [1, 2, 3] }],
    ["prompt", { prompt: ["a", "b"] }],
    ["best_of", { best_of: 3 }],
    ["echo", { echo: true }],
    ["suffix", { suffix: "end" }],
    ["logprobs", { logprobs: 0 }],
  ])("as plain text because of %s is refused by that name", async (param, changes) => {
    const body = { ...PROMPT, ...changes } as unknown as OpenAI.CompletionCreateParamsNonStreaming;
    expect(await refusal(client.completions.create(body))).toMatchObject({ status: 400, param });
  });

  test.each<[string, object, RegExp]>([
    ["input", { input: [1, 2, 3] }, /tokens/u],
    ["input", { input: [[1, 2], [3]] }, /tokens/u],
    ["input", { input: [] }, /1 to 2048/u],
    ["input", { input: ["ab", ""] }, /\[1\]/u],
    ["dimensions", { dimensions: 3 }, /not cut/u],
    ["encoding_format", { encoding_format: "int8" }, /float/u],
  ])("for vectors because of %s is refused with the reason", async (param, changes, why) => {
    const body = { model: "encoder", input: "ab", ...changes } as unknown as OpenAI.EmbeddingCreateParams;
    const error = await refusal(client.embeddings.create(body));
    expect(error).toMatchObject({ status: 400, param });
    expect(error.message).toMatch(why);
  });

  test("that is no JSON, or too large, or another method, is told so in the same form", async () => {
    const { made } = await account();
    const send = async (init: RequestInit): Promise<[number, unknown]> => {
      const response = await fetch(`${relay.url}/v1/embeddings`, {
        headers: { Authorization: `Bearer ${made.key}`, "Content-Type": "application/json" },
        ...init,
      });
      return [response.status, await response.json()];
    };
    expect(await send({ method: "POST", body: "{" })).toMatchObject([
      400,
      { error: { code: "invalid_json", type: "invalid_request_error" } },
    ]);
    expect(await send({ method: "POST", body: "[]" })).toMatchObject([400, { error: { param: "body" } }]);
    const large = JSON.stringify({ model: "encoder", input: "a".repeat(3 * 1024 * 1024) });
    expect(await send({ method: "POST", body: large })).toMatchObject([
      413,
      { error: { code: "request_too_large" } },
    ]);
    expect(await send({ method: "GET" })).toMatchObject([405, { error: { code: "method_not_allowed" } }]);
  });

  test("for want of a provider says why there is none, when to come again, and costs nothing", async () => {
    const { seed, client: other } = await account();
    const error = await refusal(other.chat.completions.create(TALK));
    expect(error).toBeInstanceOf(OpenAI.InternalServerError);
    expect(error).toMatchObject({ status: 503, code: "no_provider", type: "server_error" });
    expect(error.message).toContain("no provider is connected");
    expect(Number(error.headers?.get("retry-after"))).toBeGreaterThan(0);
    const [key] = await listApiKeys({ relay: relay.url, seed });
    expect(key?.used).toBe(0n);
  });
});

describe("a key", () => {
  test("of an account without enough money, or beyond its own cap, buys nothing", async () => {
    const poor = await account({ cap: 1n });
    const error = await refusal(poor.client.completions.create(PROMPT));
    expect(error).toBeInstanceOf(OpenAI.RateLimitError);
    expect(error).toMatchObject({ status: 429, code: "insufficient_quota", type: "insufficient_quota" });
    expect(error.headers?.get("x-should-retry")).toBe("false");
    const none = await account({ cap: 0n });
    expect(await refusal(none.client.completions.create(PROMPT))).toMatchObject({ status: 429 });
  });

  test("that was revoked, or has expired, is refused at once, and the account's other keys go on", async () => {
    const { seed, made, client } = await account();
    const owner = { relay: relay.url, seed };
    const other = await createApiKey(owner, { cap: CREDIT });
    await revokeApiKey(owner, made.apiKey);
    expect(await refusal(client.completions.create(PROMPT))).toMatchObject({
      status: 401,
      message: expect.stringContaining("revoked"),
    });
    const nothing = { ...PROMPT, model: "nothing" };
    expect(await refusal(clientOf(other.key).completions.create(nothing))).toMatchObject({ status: 404 });
    const short = await createApiKey(owner, { cap: CREDIT, expires: Date.now() + 500 });
    await expect
      .poll(async () => (await refusal(clientOf(short.key).completions.create(nothing))).message, {
        timeout: 10_000,
      })
      .toMatch(/time has passed/u);
  });

  test("may be used so often, and then has to wait", async () => {
    const config = relayConfig({
      port: 0,
      dataDir: ":memory:",
      iceServers: [],
      logLevel: "silent",
      keyRate: { burst: 2, perSecond: 1 },
    });
    const strict = await startRelay(config, { gateway: meshGateway });
    try {
      const seed = new Uint8Array(randomBytes(32));
      const made = await createApiKey({ relay: strict.url, seed }, { cap: CREDIT });
      const client = new OpenAI({ apiKey: made.key, baseURL: `${strict.url}/v1`, maxRetries: 0 });
      const ask = (): Promise<InstanceType<typeof APIError>> =>
        refusal(client.embeddings.create({ model: "nothing", input: "a" }));
      expect(await ask()).toMatchObject({ status: 404 });
      expect(await ask()).toMatchObject({ status: 404 });
      const error = await ask();
      expect(error).toMatchObject({ status: 429, code: "rate_limit_exceeded" });
      expect(error.headers?.get("retry-after")).toBe("1");
    } finally {
      await strict.stop();
    }
  });

  test("is known to the relay by its hash alone", async () => {
    const { made } = await account();
    const all = Array.from({ length: relay.books.size() }, (_, i) => Buffer.from(relay.books.entry(i)!));
    expect(all.some((entry) => entry.includes(made.key))).toBe(false);
    expect(decodeEntry(all[made.entryIndex]!).type).toBe("api-key");
  });
});

test("a relay that is to have no gateway answers nothing of it, and makes no keys", async () => {
  const plain = await startRelay(
    relayConfig({ port: 0, dataDir: ":memory:", iceServers: [], logLevel: "silent", gateway: false }),
    { gateway: meshGateway },
  );
  try {
    const seed = new Uint8Array(randomBytes(32));
    await expect(createApiKey({ relay: plain.url, seed }, { cap: CREDIT })).rejects.toThrow(/no gateway/u);
    const client = new OpenAI({ apiKey: "any", baseURL: `${plain.url}/v1`, maxRetries: 0 });
    expect(await refusal(client.chat.completions.create(TALK))).toMatchObject({
      status: 404,
      code: "no_gateway",
    });
  } finally {
    await plain.stop();
  }
});

test("a page of another origin may ask, with a key and the headers that its client sends", async () => {
  const response = await fetch(`${relay.url}/v1/chat/completions`, {
    method: "OPTIONS",
    headers: {
      Origin: "https://elsewhere.example",
      "Access-Control-Request-Method": "POST",
      "Access-Control-Request-Headers": "authorization,content-type,x-stainless-os",
    },
  });
  const allowed = response.headers.get("access-control-allow-headers") ?? "";
  expect(allowed.split(",").map((name) => name.trim())).toEqual([
    "authorization",
    "content-type",
    "x-stainless-os",
  ]);
  expect(response.headers.get("access-control-allow-origin")).toBe("*");
  expect(response.headers.get("access-control-allow-credentials")).toBeNull();
});

test("the list of models is what the client expects", async () => {
  const client = clientOf("none");
  const names: string[] = [];
  for await (const model of client.models.list()) names.push(model.id);
  expect(names).toEqual(["encoder", "writer"]);
  expect(await client.models.retrieve("writer")).toMatchObject({ id: "writer", object: "model" });
});

interface Told {
  readonly text: string;
  readonly chunks: readonly OpenAI.ChatCompletionChunk[];
}

async function read(stream: AsyncIterable<OpenAI.ChatCompletionChunk>): Promise<Told> {
  const chunks: OpenAI.ChatCompletionChunk[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return { text: chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join(""), chunks };
}

/** The newest receipts that the log has of a provider's leases, by their CIDs. */
async function logged(receipts: readonly string[]): Promise<boolean> {
  const known = new Set<string>();
  for (let index = 0; index < relay.books.size(); index += 1) {
    const entry = relay.books.entry(index)!;
    if (decodeEntry(entry).type !== "receipt") continue;
    const report = readBody(reportMessage, decodeEntryOf("receipt", entry).body.envelope);
    known.add(openEnvelope(receiptMessage, report.receipt).id);
  }
  return receipts.length > 0 && receipts.every((receipt) => known.has(receipt));
}

/** Leases that the log has of one job. */
function leasesOf(job: string): readonly Lease[] {
  const leases: Lease[] = [];
  for (let index = 0; index < relay.books.size(); index += 1) {
    const entry = relay.books.entry(index)!;
    if (decodeEntry(entry).type !== "lease") continue;
    const { body } = decodeEntryOf("lease", entry);
    if (body.job === job) leases.push(openEnvelope(leaseMessage, body.envelope).body);
  }
  return leases;
}

describe("with a provider", () => {
  test("a conversation is answered as the client expects, by a job that the key's account pays for and the log proves", async () => {
    await provider();
    const { seed, client } = await account();
    const { data, response } = await client.chat.completions.create(TALK).withResponse();
    const [choice] = data.choices;
    expect(data).toMatchObject({
      object: "chat.completion",
      model: "writer",
      system_fingerprint: writer.cid,
    });
    expect(choice).toMatchObject({ index: 0, finish_reason: "length", message: { role: "assistant" } });
    expect(choice!.message.content!.length).toBeGreaterThan(0);
    expect(data.usage!.completion_tokens).toBe(12);
    expect(data.usage!.total_tokens).toBe(data.usage!.prompt_tokens + 12);
    const job = response.headers.get("x-tabmesh-job")!;
    expect(data.id).toBe(`chatcmpl-${job}`);
    expect(await logged(response.headers.get("x-tabmesh-receipt")!.split(", "))).toBe(true);
    expect(leasesOf(job).map(({ gateway }) => gateway)).toEqual([true]);
    const view = relay.books.job(parseCid(job))!;
    expect(view.state).toBe("closed");
    expect(view.spent).toBeGreaterThan(0n);
    const [key] = await listApiKeys({ relay: relay.url, seed });
    expect(key?.used).toBe(view.spent);
    const { key: payer } = await signerFromSeed(webcrypto.subtle, seed);
    expect(relay.books.account(payer)).toMatchObject({ available: 10n * CREDIT - view.spent, escrowed: 0n });
  });

  test("the same text comes streamed, plain, and in pieces with the receipt in the last one", async () => {
    await provider();
    const { client } = await account();
    const whole = await client.chat.completions.create(TALK);
    const request = client.chat.completions.create({ ...TALK, stream: true });
    const { data, response } = await request.withResponse();
    const { text, chunks } = await read(data);
    expect(text).toBe(whole.choices[0]!.message.content);
    expect(chunks.length).toBeGreaterThan(2);
    expect(chunks[0]!.choices[0]!.delta).toMatchObject({ role: "assistant" });
    expect(chunks.map(({ choices }) => choices[0]?.finish_reason).filter((reason) => reason)).toEqual([
      "length",
    ]);
    const last = chunks.at(-1)! as unknown as { tabmesh: { job: string; receipts: string[] } };
    expect(last.tabmesh.job).toBe(response.headers.get("x-tabmesh-job"));
    expect(await logged(last.tabmesh.receipts)).toBe(true);
    const plain = await client.completions.create(PROMPT);
    expect(plain).toMatchObject({
      object: "text_completion",
      choices: [{ index: 0, finish_reason: "length" }],
    });
    let pieces = "";
    for await (const { choices } of await client.completions.create({ ...PROMPT, stream: true }))
      pieces += choices[0]?.text ?? "";
    expect(pieces).toBe(plain.choices[0]!.text);
  });

  test("usage comes in a chunk of its own where it is asked for, and is null before", async () => {
    await provider();
    const { client } = await account();
    const body = { ...TALK, stream: true, stream_options: { include_usage: true } } as const;
    const { chunks } = await read(await client.chat.completions.create(body));
    const last = chunks.at(-1)!;
    expect(last.choices).toEqual([]);
    expect(last.usage).toMatchObject({ completion_tokens: 12 });
    expect(chunks.slice(0, -1).every(({ usage }) => usage === null)).toBe(true);
    expect(last).toHaveProperty("tabmesh.receipts");
  });

  test("a seed gives the same text again, another one another, and a stop text ends it", async () => {
    await provider();
    const { client } = await account();
    const ask = async (changes: object): Promise<OpenAI.CompletionChoice> => {
      const body = { ...PROMPT, max_tokens: 24, temperature: 1, ...changes };
      return (await client.completions.create(body)).choices[0]!;
    };
    const [first, again, other] = [await ask({ seed: 7 }), await ask({ seed: 7 }), await ask({ seed: 8 })];
    expect(again.text).toBe(first.text);
    expect(other.text).not.toBe(first.text);
    const stop = /[a-z]/u.exec(first.text.slice(1))?.[0];
    if (stop === undefined) throw new Error(`no letter to stop at in ${JSON.stringify(first.text)}`);
    const stopped = await ask({ seed: 7, stop: [stop] });
    expect(stopped.finish_reason).toBe("stop");
    expect(first.text.startsWith(stopped.text)).toBe(true);
    expect(stopped.text).not.toContain(stop);
  });

  test("vectors are the same as numbers and as base64, of length 1, one for each text, with a receipt", async () => {
    await provider();
    const { client } = await account();
    const input = ["ab cd", "efg", "ab cd"];
    // Left to itself the client asks for base64 and decodes it.
    const { data, response } = await client.embeddings.create({ model: "encoder", input }).withResponse();
    const floats = await client.embeddings.create({ model: "encoder", input, encoding_format: "float" });
    expect(data.data.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(data.data.map(({ embedding }) => embedding)).toEqual(
      floats.data.map(({ embedding }) => embedding),
    );
    const [first, second, third] = data.data.map(({ embedding }) => embedding);
    expect(first).toHaveLength(encoder.manifest.dimensions);
    expect(third).toEqual(first);
    expect(second).not.toEqual(first);
    const norm = Math.hypot(...first!);
    // Each value is rounded to a 32,768th.
    expect(Math.abs(norm - 1)).toBeLessThan(Math.sqrt(first!.length) / 32_768);
    expect(data.usage.prompt_tokens).toBeGreaterThan(0);
    expect(await logged(response.headers.get("x-tabmesh-receipt")!.split(", "))).toBe(true);
    const same = { model: "encoder", input, dimensions: encoder.manifest.dimensions };
    expect((await client.embeddings.create(same)).data[0]!.embedding).toEqual(first);
  });

  test("a client that leaves ends the work, and what it did not cost is free again", async () => {
    const slow = await provider({ partMs: 100 });
    const { seed, client } = await account();
    const stream = await client.completions.create({
      ...PROMPT,
      max_tokens: 80,
      temperature: 1,
      stream: true,
    });
    for await (const _ of stream) if (slow.parts >= 2) break;
    await expect.poll(() => slow.stopped, { timeout: 10_000 }).toBe(1);
    const { key: payer } = await signerFromSeed(webcrypto.subtle, seed);
    await expect.poll(() => relay.books.account(payer).escrowed, { timeout: 10_000 }).toBe(0n);
    expect(slow.parts).toBeLessThan(10);
  });

  test("a client that gives up waiting for a whole answer ends the work too", async () => {
    const slow = await provider({ partMs: 200 });
    const { client } = await account();
    const leaving = new AbortController();
    const answer = client.completions.create(
      { ...PROMPT, max_tokens: 80, temperature: 1 },
      { signal: leaving.signal },
    );
    const refused = expect(answer).rejects.toThrow(OpenAI.APIUserAbortError);
    await expect.poll(() => slow.parts, { timeout: 10_000 }).toBeGreaterThan(0);
    leaving.abort();
    await refused;
    await expect.poll(() => slow.stopped, { timeout: 10_000 }).toBe(1);
  });

  test("a key that is revoked loses what is under way", async () => {
    const slow = await provider({ partMs: 200 });
    const { seed, made, client } = await account();
    const stream = await client.completions.create({
      ...PROMPT,
      max_tokens: 80,
      temperature: 1,
      stream: true,
    });
    const owner = { relay: relay.url, seed };
    let revoked = false;
    const reading = (async (): Promise<void> => {
      for await (const _ of stream) {
        if (!revoked) await revokeApiKey(owner, made.apiKey);
        revoked = true;
      }
    })();
    expect(await refusal(reading)).toBeInstanceOf(APIError);
    await expect.poll(() => slow.stopped, { timeout: 10_000 }).toBe(1);
  });

  test("when a provider vanishes in the middle, another one goes on with the same words", async () => {
    const first = await provider({ partMs: 150 });
    const { client } = await account();
    const body = { ...PROMPT, max_tokens: 60, temperature: 1, seed: 11 };
    const undisturbed = await client.completions.create(body);
    const stream = await client.completions.create({ ...body, stream: true });
    await provider();
    const before = first.parts;
    let text = "";
    let receipts: readonly string[] = [];
    for await (const chunk of stream) {
      text += chunk.choices[0]?.text ?? "";
      if (first.parts > before + 1) await first.vanish();
      receipts = (chunk as unknown as { tabmesh?: { receipts: string[] } }).tabmesh?.receipts ?? receipts;
    }
    expect(text).toBe(undisturbed.choices[0]!.text);
    expect(receipts).toHaveLength(2);
  }, 60_000);

  test("a prompt beyond the model's context is refused with the reason", async () => {
    await provider();
    const { client } = await account();
    const error = await refusal(client.completions.create({ ...PROMPT, prompt: "ab ".repeat(200) }));
    expect(error).toMatchObject({ status: 400, code: "context_length_exceeded" });
    expect(error.message).toContain(String(writer.manifest.context));
  });
});
