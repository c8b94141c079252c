import { FailureError } from "../../protocol/failure.ts";
import { UNIFORM_STEP } from "./limits.ts";

/** What buffers may take. All in bytes. */
export interface MemoryBudget {
  /** All buffers together. */
  readonly total: number;
  /** One buffer, as a kernel sees it. */
  readonly buffer: number;
}

/** A place in a buffer of uniforms. */
export interface UniformPlace {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly size: number;
}

/** Uniforms in one buffer. */
const UNIFORM_SLOTS = 32;

/** Makes the buffers of one model, counts what they take, and keeps them within a budget. */
export class BufferMaker {
  readonly budget: MemoryBudget;
  readonly #device: GPUDevice;
  readonly #made: GPUBuffer[] = [];
  readonly #uniforms = new Map<string, UniformPlace>();
  #uniformBuffer: GPUBuffer | undefined;
  #bytes = 0;

  constructor(device: GPUDevice, budget: MemoryBudget) {
    this.#device = device;
    this.budget = budget;
  }

  /** Bytes of all buffers. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A buffer of zeros. @throws FailureError `no-memory` */
  empty(bytes: number, usage: number = GPUBufferUsage.STORAGE): GPUBuffer {
    const size = Math.max(16, Math.ceil(bytes / 16) * 16);
    const { total, buffer: most } = this.budget;
    if (size > most) throw new FailureError("no-memory", `a buffer of ${size} bytes, the GPU allows ${most}`);
    if (this.#bytes + size > total)
      throw new FailureError("no-memory", `${this.#bytes + size} bytes of ${total} that the GPU may hold`);
    const buffer = this.#device.createBuffer({ size, usage: usage | GPUBufferUsage.COPY_DST });
    this.#made.push(buffer);
    this.#bytes += size;
    return buffer;
  }

  /** A buffer of 32-bit words. */
  words(count: number): GPUBuffer {
    return this.empty(4 * count, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC);
  }

  /** A buffer that holds these bytes. */
  filled({ buffer: source, byteOffset, byteLength }: ArrayBufferView): GPUBuffer {
    const buffer = this.empty(byteLength);
    const whole = byteLength & ~3;
    this.#device.queue.writeBuffer(buffer, 0, source, byteOffset, whole);
    if (whole < byteLength) {
      // The queue takes whole words.
      const rest = new Uint8Array(4);
      rest.set(new Uint8Array(source, byteOffset + whole, byteLength - whole));
      this.#device.queue.writeBuffer(buffer, whole, rest);
    }
    return buffer;
  }

  /** Writes to a buffer that it made. */
  write(buffer: GPUBuffer, offset: number, words: Uint32Array<ArrayBuffer>): void {
    this.#device.queue.writeBuffer(buffer, offset, words);
  }

  /** A uniform of these words, i32 or u32; equal ones have one place. */
  uniform(words: readonly number[]): UniformPlace {
    const key = words.join();
    const known = this.#uniforms.get(key);
    if (known !== undefined) return known;
    const slot = this.#uniforms.size % UNIFORM_SLOTS;
    if (slot === 0) this.#uniformBuffer = this.empty(UNIFORM_SLOTS * UNIFORM_STEP, GPUBufferUsage.UNIFORM);
    const buffer = this.#uniformBuffer;
    if (buffer === undefined) throw new TypeError("the first slot makes a buffer");
    const place = { buffer, offset: slot * UNIFORM_STEP, size: 4 * Math.ceil(words.length / 4) * 4 };
    this.#device.queue.writeBuffer(buffer, place.offset, Int32Array.from(words));
    this.#uniforms.set(key, place);
    return place;
  }

  destroy(): void {
    for (const buffer of this.#made) buffer.destroy();
    this.#made.length = 0;
    this.#uniforms.clear();
    this.#bytes = 0;
  }
}
