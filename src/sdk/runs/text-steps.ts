import { FailureError } from "../../protocol/failure.ts";
import {
  decodeModelData,
  type GenerateInput,
  generateInputSchema,
} from "../../protocol/messages/model-task.ts";
import { MAX_MODEL_POSITIONS } from "../../protocol/limits.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { WireError } from "../../protocol/wire-error.ts";
import type { TaskAttempt, TaskWatch } from "../task-watch.ts";
import { TextWatch } from "../text-watch.ts";

/** Follows the texts of a node's steps: each is written at one provider from its beginning, for its receipt is over all of it. */
export class TextSteps implements TaskWatch {
  readonly #watches = new Map<number, TextWatch>();

  /** The text of an input, as far as it is signed for. */
  textOf(index: number): string {
    return this.#watches.get(index)?.text ?? "";
  }

  attempt(index: number, input: Uint8Array, provider: PeerId): TaskAttempt {
    const watch = new TextWatch({
      input: readInput(input),
      context: MAX_MODEL_POSITIONS,
      onPiece: () => undefined,
    });
    this.#watches.set(index, watch);
    return { ...watch.attempt(index, input, provider), input, leave: () => false };
  }
}

function readInput(input: Uint8Array): GenerateInput {
  try {
    return decodeModelData(generateInputSchema, input);
  } catch (error) {
    if (error instanceof WireError)
      throw new FailureError("malformed", `what a model is to write from: ${error.message}`, {
        cause: error,
      });
    throw error;
  }
}
