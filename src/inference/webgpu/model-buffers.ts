import { concatBytes } from "../../protocol/bytes.ts";
import type { LlamaModel } from "../model/llama-model.ts";
import type { FactorVector, Matrix } from "../model/matrix.ts";

/** Matrices with the same inputs, one above the other. */
export interface MatrixBuffers {
  readonly outputs: number;
  readonly groups: number;
  readonly bits: 4 | 8;
  readonly weights: GPUBuffer;
  readonly multipliers: GPUBuffer;
  readonly scales: GPUBuffer;
  /** Present where the model has biases. */
  readonly biases?: GPUBuffer;
}

export interface FactorBuffer {
  readonly factors: GPUBuffer;
  readonly fraction: number;
}

export interface LayerBuffers {
  readonly attentionNorm: FactorBuffer;
  /** Queries, keys, values. */
  readonly project: MatrixBuffers;
  readonly output: MatrixBuffers;
  readonly feedNorm: FactorBuffer;
  /** Gates, ups. */
  readonly widen: MatrixBuffers;
  readonly down: MatrixBuffers;
}

/** A model in the device's memory. */
export interface ModelBuffers {
  readonly embeddings: GPUBuffer;
  readonly embeddingScales: GPUBuffer;
  readonly layers: readonly LayerBuffers[];
  readonly finalNorm: FactorBuffer;
  readonly head: MatrixBuffers;
  /** Cosine in the low, sine in the high 16 bits. */
  readonly rotation: GPUBuffer;
  readonly exp2Table: GPUBuffer;
  readonly sigmoidTable: GPUBuffer;
}

/** Makes buffers and counts what they take. */
export class BufferMaker {
  readonly #device: GPUDevice;
  readonly #made: GPUBuffer[] = [];
  bytes = 0;

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  empty(bytes: number, usage: number = GPUBufferUsage.STORAGE): GPUBuffer {
    const size = Math.max(16, Math.ceil(bytes / 16) * 16);
    const buffer = this.#device.createBuffer({
      size,
      usage: usage | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC,
    });
    this.#made.push(buffer);
    this.bytes += size;
    return buffer;
  }

  /** A buffer that holds these arrays one behind the other. */
  filled(...parts: readonly ArrayBufferView[]): GPUBuffer {
    const bytes = parts.map(
      ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength),
    );
    const size = bytes.reduce((sum, part) => sum + part.length, 0);
    const buffer = this.empty(size);
    let at = 0;
    for (const part of bytes.every(({ length }) => length % 4 === 0)
      ? bytes
      : [padded(concatBytes(...bytes))]) {
      this.#device.queue.writeBuffer(buffer, at, part.buffer, part.byteOffset, part.byteLength);
      at += part.length;
    }
    return buffer;
  }

  destroy(): void {
    for (const buffer of this.#made) buffer.destroy();
    this.#made.length = 0;
    this.bytes = 0;
  }
}

/** Whole words, as writeBuffer wants. */
function padded(bytes: Uint8Array): Uint8Array {
  if (bytes.length % 4 === 0) return bytes;
  const whole = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
  whole.set(bytes);
  return whole;
}

/** Copies a model into the device's memory. */
export function uploadModel(model: LlamaModel, maker: BufferMaker): ModelBuffers {
  const factors = ({ values, fraction }: FactorVector): FactorBuffer => ({
    factors: maker.filled(values),
    fraction,
  });
  const stacked = (...matrices: readonly Matrix[]): MatrixBuffers => ({
    outputs: matrices.reduce((sum, { rows }) => sum + rows, 0),
    groups: (matrices[0]?.stride ?? 0) / 32,
    bits: matrices[0]?.bits ?? 8,
    weights: maker.filled(...matrices.map(({ values }) => values)),
    multipliers: maker.filled(...matrices.map(({ multipliers }) => multipliers)),
    scales: maker.filled(...matrices.map(({ scales }) => scales)),
  });
  const rotation = Uint32Array.from(
    model.cosines,
    (cosine, i) => ((cosine & 0xffff) | ((model.sines[i] ?? 0) << 16)) >>> 0,
  );
  return {
    embeddings: maker.filled(model.embeddings.values),
    embeddingScales: maker.filled(model.embeddings.scales),
    layers: model.layers.map((layer) => {
      const { queryBias, keyBias, valueBias } = layer;
      return {
        attentionNorm: factors(layer.attentionNorm),
        project: {
          ...stacked(layer.query, layer.key, layer.value),
          ...(queryBias === undefined || keyBias === undefined || valueBias === undefined
            ? {}
            : { biases: maker.filled(queryBias, keyBias, valueBias) }),
        },
        output: stacked(layer.output),
        feedNorm: factors(layer.feedNorm),
        widen: stacked(layer.gate, layer.up),
        down: stacked(layer.down),
      };
    }),
    finalNorm: factors(model.finalNorm),
    head: stacked(model.head),
    rotation: maker.filled(rotation),
    exp2Table: maker.filled(model.exp2Table),
    sigmoidTable: maker.filled(model.sigmoidTable),
  };
}
