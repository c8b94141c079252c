import type { Backend } from "../backend.ts";
import type { LlamaModel } from "../model/llama-model.ts";
import { balancedCuts, cutModel } from "../model/llama-part.ts";
import type { WasmOptions } from "../wasm/wasm-part.ts";
import { STAGE_ROWS } from "./limits.ts";
import type { Line } from "./line.ts";
import { StagedDecoder } from "./staged-decoder.ts";

export interface StagesOptions extends WasmOptions {
  /** Threads at most; a model has no more than it has layers. */
  readonly stages: number;
  /** Starts a thread that calls `answerStage`. */
  readonly start: () => Line;
  /** The layer that each stage but the first begins with, ascending. Balanced, if not given. */
  readonly cuts?: readonly number[];
  /** Rows that go from stage to stage together. */
  readonly rows?: number;
}

/**
 * Models on WebAssembly SIMD in several threads, each of which holds some of the layers: batches of positions go from one to
 * the next by messages, while those behind them are computed. All bits are those of one thread. See docs/decisions/0021-stages-of-layers.md.
 */
export function createStagedBackend(options: StagesOptions): Backend {
  return { name: "wasm", open: (model) => openStages(model, options) };
}

async function openStages(model: LlamaModel, options: StagesOptions): Promise<StagedDecoder> {
  const { shape } = model;
  const most = Math.max(1, Math.min(options.stages, shape.layers));
  const parts = cutModel(model, options.cuts ?? balancedCuts(shape, most));
  const decoder = new StagedDecoder(
    {
      shape: { ...shape, context: Math.min(shape.context, options.mostPositions ?? Infinity) },
      exp2Table: model.exp2Table.slice(),
    },
    startAll(parts.length, options),
    options.rows ?? STAGE_ROWS,
  );
  try {
    // One after the other: beside the file and what the threads hold there is one copy of one part.
    for (const [i, part] of parts.entries())
      // oxlint-disable-next-line no-await-in-loop
      await decoder.place(i, part, options);
    return decoder;
  } catch (error) {
    decoder.close();
    throw error;
  }
}

/** All of them, or none: those before one that cannot be started are ended. */
function startAll(count: number, { start }: StagesOptions): readonly Line[] {
  const lines: Line[] = [];
  try {
    while (lines.length < count) lines.push(start());
    return lines;
  } catch (error) {
    for (const line of lines) line.close();
    throw error;
  }
}
