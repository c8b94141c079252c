import type { EmbeddingOrder } from "./embedding-request.ts";
import type { GatewayVectors } from "./gateway-requester.ts";

/** Q15: a value of an i16 vector is this part of 1. */
const ONE = 32_768;

/** Little-endian f32, as clients of this interface decode them. */
function floatsOf(vector: Int16Array): DataView<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(4 * vector.length));
  for (const [index, value] of vector.entries()) view.setFloat32(4 * index, value / ONE, true);
  return view;
}

function embeddingOf(vector: Int16Array, encoding: EmbeddingOrder["encoding"]): string | readonly number[] {
  return encoding === "float"
    ? Array.from(vector, (value) => value / ONE)
    : Buffer.from(floatsOf(vector).buffer).toString("base64");
}

/** Body of an answer of POST /v1/embeddings. @param model its published name */
export function vectorAnswer(
  { vectors, tokens }: GatewayVectors,
  model: string,
  encoding: EmbeddingOrder["encoding"],
): Readonly<Record<string, unknown>> {
  const total = tokens.reduce((sum, count) => sum + count, 0);
  return {
    object: "list",
    data: vectors.map((vector, index) => ({
      object: "embedding",
      index,
      embedding: embeddingOf(vector, encoding),
    })),
    model,
    usage: { prompt_tokens: total, total_tokens: total },
  };
}
