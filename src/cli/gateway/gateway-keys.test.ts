import { webcrypto } from "node:crypto";
import OpenAI, { APIError } from "openai";
import { describe, expect, test } from "vitest";
import { signerFromSeed } from "../../protocol/ed25519.ts";
import { decodeEntry } from "../../protocol/messages/entry.ts";
import { microCredits } from "../../protocol/units.ts";
import { createApiKey, revokeApiKey } from "../../sdk/index.ts";
import { accountAt, CREDIT, gatewayRelay, gatewayScene, PROMPT, refusal } from "./gateway-scene.contract.ts";
import { publish } from "./node-provider.contract.ts";

const scene = gatewayScene();
const { account, clientOf, provider } = scene;

describe("a key", () => {
  test("of an account without enough money buys nothing", async () => {
    const frugal = await gatewayRelay({ grant: microCredits(1) });
    try {
      await publish(frugal.url, "writer", scene.writer);
      const { client } = await accountAt(frugal.url);
      const error = await refusal(client.completions.create(PROMPT));
      expect(error).toMatchObject({ status: 402, code: "insufficient_quota", type: "insufficient_quota" });
      expect(error.message).toContain("The account has 1 micro-credits.");
      expect(error.headers?.get("x-should-retry")).toBe("false");
    } finally {
      await frugal.stop();
    }
  });

  test("of an account that the operator denies is refused as such, and a model that is denied is not there", async () => {
    const { seed, client } = await account();
    const { key: owner } = await signerFromSeed(webcrypto.subtle, seed);
    await scene.relay.books.deny("peer", owner, "abuse");
    expect(await refusal(client.completions.create(PROMPT))).toMatchObject({
      status: 403,
      code: "denied",
      type: "permission_error",
    });
    const other = await account();
    await scene.relay.books.deny("cid", scene.writer.cid, "harm");
    try {
      expect(await refusal(other.client.completions.create(PROMPT))).toMatchObject({
        status: 404,
        code: "model_not_found",
      });
    } finally {
      await scene.relay.books.undeny("cid", scene.writer.cid);
    }
  });

  test("buys nothing beyond its own cap", async () => {
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
    const owner = { relay: scene.relay.url, seed };
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
    const strict = await gatewayRelay({ keyRate: { burst: 2, perSecond: 1 } });
    try {
      const { client } = await accountAt(strict.url);
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
    const all = Array.from({ length: scene.relay.books.size() }, (_, i) =>
      Buffer.from(scene.relay.books.entry(i)!),
    );
    expect(all.some((entry) => entry.includes(made.key))).toBe(false);
    expect(decodeEntry(all[made.entryIndex]!).type).toBe("api-key");
  });

  test("that is revoked loses what is under way", async () => {
    const slow = await provider({ partMs: 200 });
    const { seed, made, client } = await account();
    const stream = await client.completions.create({
      ...PROMPT,
      max_tokens: 80,
      temperature: 1,
      stream: true,
    });
    const owner = { relay: scene.relay.url, seed };
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
});
