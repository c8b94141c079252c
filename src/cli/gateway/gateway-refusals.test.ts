import OpenAI from "openai";
import { beforeEach, describe, expect, test } from "vitest";
import { listApiKeys } from "../../sdk/index.ts";
import { accountAt, gatewayRelay, gatewayScene, PROMPT, refusal, TALK } from "./gateway-scene.contract.ts";

const scene = gatewayScene();
const { account, clientOf } = scene;

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
    const bare = await fetch(`${scene.relay.url}/v1/completions`, {
      method: "POST",
      body: JSON.stringify(PROMPT),
    });
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
      const response = await fetch(`${scene.relay.url}/v1/embeddings`, {
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
    const [key] = await listApiKeys({ relay: scene.relay.url, seed });
    expect(key?.used).toBe(0n);
  });
});

test("a relay that is to have no gateway answers nothing of it, and makes no keys", async () => {
  const plain = await gatewayRelay({ gateway: false });
  try {
    await expect(accountAt(plain.url)).rejects.toThrow(/no gateway/u);
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
  const response = await fetch(`${scene.relay.url}/v1/chat/completions`, {
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
