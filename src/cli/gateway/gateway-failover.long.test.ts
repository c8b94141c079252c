import { describe, expect, test } from "vitest";
import { gatewayScene, PROMPT } from "./gateway-scene.contract.ts";

const { account, provider } = gatewayScene();

describe("with two providers", () => {
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
});
