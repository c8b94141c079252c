import { FailureError } from "../../protocol/failure.ts";
import {
  decodeModelData,
  embedInputSchema,
  embedOutputSchema,
  encodeModelData,
} from "../../protocol/messages/model-task.ts";
import { Breaks } from "../breaks.ts";
import type { Embedder, Embedding } from "../embed/embedder.ts";
import { hostPart } from "./host-part.ts";
import type { HostPart, HostTask } from "./model-host.ts";
import { TaskFailure } from "./task-failure.ts";

/**
 * Embeds the texts of a task. Out of fuel is at the first text that the limit does not cover.
 * @throws FailureError `malformed`, `out-of-fuel` or `output-too-large`; the signal's reason
 */
export async function runEmbed(embedder: Embedder, task: HostTask, signal: AbortSignal): Promise<HostPart> {
  const { texts } = decodeModelData(embedInputSchema, task.input);
  const dimensions = embedder.encoder.model.shape.output;
  const least = 2 * dimensions * texts.length;
  if (least > task.outputBytes) throw tooLarge(least, task, 0n);
  const vectors = new Int16Array(dimensions * texts.length);
  const tokens: number[] = [];
  const breaks = new Breaks(signal);
  let fuel = 0n;
  let stateHash = embedder.link;
  for await (const { vector, tokens: taken, fuel: spent, link } of embeddings(embedder, texts, signal)) {
    if (fuel + spent > task.fuelLimit)
      throw new TaskFailure("out-of-fuel", `text ${tokens.length} takes ${fuel + spent} in all`, fuel);
    fuel += spent;
    vectors.set(vector, dimensions * tokens.length);
    tokens.push(taken.length);
    stateHash = link;
    await breaks.take();
  }
  const output = encodeModelData(embedOutputSchema, { dimensions, vectors: bytesOf(vectors), tokens });
  if (output.length > task.outputBytes) throw tooLarge(output.length, task, fuel);
  const taken = tokens.reduce((sum, count) => sum + count, 0);
  return hostPart({ output, fuel, to: 0, stateHash, tokens: taken });
}

async function* embeddings(
  embedder: Embedder,
  texts: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<Embedding> {
  try {
    yield* embedder.embed(texts, signal);
  } catch (cause) {
    // A text in which there is no token.
    if (cause instanceof RangeError) throw new FailureError("malformed", cause.message, { cause });
    throw cause;
  }
}

function tooLarge(bytes: number, { outputBytes }: HostTask, fuel: bigint): TaskFailure {
  return new TaskFailure("output-too-large", `${bytes} bytes of vectors, the limit is ${outputBytes}`, fuel);
}

/** Little-endian, as typed arrays are wherever browsers run. */
function bytesOf({ buffer, byteOffset, byteLength }: Int16Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
