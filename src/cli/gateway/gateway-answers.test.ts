import { webcrypto } from "node:crypto";
import OpenAI from "openai";
import { describe, expect, test } from "vitest";
import { parseCid } from "../../protocol/cid.ts";
import { signerFromSeed } from "../../protocol/ed25519.ts";
import { openEnvelope, readBody } from "../../protocol/envelope.ts";
import { decodeEntry, decodeEntryOf } from "../../protocol/messages/entry.ts";
import { type Lease, leaseMessage } from "../../protocol/messages/lease.ts";
import { receiptMessage, reportMessage } from "../../protocol/messages/receipt.ts";
import { listApiKeys } from "../../sdk/index.ts";
import { CREDIT, gatewayScene, PROMPT, refusal, TALK } from "./gateway-scene.contract.ts";

const scene = gatewayScene();
const { account, clientOf, provider } = scene;

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
  for (let index = 0; index < scene.relay.books.size(); index += 1) {
    const entry = scene.relay.books.entry(index)!;
    if (decodeEntry(entry).type !== "receipt") continue;
    const report = readBody(reportMessage, decodeEntryOf("receipt", entry).body.envelope);
    known.add(openEnvelope(receiptMessage, report.receipt).id);
  }
  return receipts.length > 0 && receipts.every((receipt) => known.has(receipt));
}

/** Leases that the log has of one job. */
function leasesOf(job: string): readonly Lease[] {
  const leases: Lease[] = [];
  for (let index = 0; index < scene.relay.books.size(); index += 1) {
    const entry = scene.relay.books.entry(index)!;
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
      system_fingerprint: scene.writer.cid,
    });
    expect(choice).toMatchObject({ index: 0, finish_reason: "length", message: { role: "assistant" } });
    expect(choice!.message.content!.length).toBeGreaterThan(0);
    expect(data.usage!.completion_tokens).toBe(12);
    expect(data.usage!.total_tokens).toBe(data.usage!.prompt_tokens + 12);
    const job = response.headers.get("x-tabmesh-job")!;
    expect(data.id).toBe(`chatcmpl-${job}`);
    expect(await logged(response.headers.get("x-tabmesh-receipt")!.split(", "))).toBe(true);
    expect(leasesOf(job).map(({ gateway }) => gateway)).toEqual([true]);
    const view = scene.relay.books.job(parseCid(job))!;
    expect(view.state).toBe("closed");
    expect(view.spent).toBeGreaterThan(0n);
    const [key] = await listApiKeys({ relay: scene.relay.url, seed });
    expect(key?.used).toBe(view.spent);
    const { key: payer } = await signerFromSeed(webcrypto.subtle, seed);
    expect(scene.relay.books.account(payer)).toMatchObject({
      available: 10n * CREDIT - view.spent,
      escrowed: 0n,
    });
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
    expect(first).toHaveLength(scene.encoder.manifest.dimensions);
    expect(third).toEqual(first);
    expect(second).not.toEqual(first);
    const norm = Math.hypot(...first!);
    // Each value is rounded to a 32,768th.
    expect(Math.abs(norm - 1)).toBeLessThan(Math.sqrt(first!.length) / 32_768);
    expect(data.usage.prompt_tokens).toBeGreaterThan(0);
    expect(await logged(response.headers.get("x-tabmesh-receipt")!.split(", "))).toBe(true);
    const same = { model: "encoder", input, dimensions: scene.encoder.manifest.dimensions };
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
    await expect.poll(() => scene.relay.books.account(payer).escrowed, { timeout: 10_000 }).toBe(0n);
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

  test("a prompt beyond the model's context is refused with the reason", async () => {
    await provider();
    const { client } = await account();
    const error = await refusal(client.completions.create({ ...PROMPT, prompt: "ab ".repeat(200) }));
    expect(error).toMatchObject({ status: 400, code: "context_length_exceeded" });
    expect(error.message).toContain(String(scene.writer.manifest.context));
  });
});
