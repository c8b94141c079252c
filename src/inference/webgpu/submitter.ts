import type { BufferMaker } from "./buffer-maker.ts";
import type { DeviceLife } from "./device-life.ts";
import { type KernelCache, SLICE_BYTES } from "./kernels.ts";
import { MOST_SLICES, MOST_WORKGROUPS, UNIFORM_STEP } from "./limits.ts";
import type { Pace } from "./pace.ts";
import type { Batch, Step } from "./plan.ts";

/** Where results are, and how many of their words are read. */
export interface Reading {
  readonly buffer: GPUBuffer;
  readonly words: number;
}

/** Steps for a batch. */
export interface Run {
  readonly steps: readonly Step[];
  readonly batch: Batch;
}

/** Submits that are not yet done when the next is made: the device has something to do meanwhile. */
const MOST_UNDER_WAY = 2;

/** What is recorded and not yet submitted. */
interface Recording {
  readonly commands: GPUCommandEncoder;
  readonly pass: GPUComputePassEncoder;
  work: number;
  /** Slices that are in use, and the last of them. */
  slices: number;
  last: string;
}

/** Runs steps in submits that are short enough to be stopped between two of them. */
export class Submitter {
  readonly #device: GPUDevice;
  readonly #life: DeviceLife;
  readonly #pace: Pace;
  readonly #slices: GPUBuffer;
  readonly #sliceWords = new Uint32Array((MOST_SLICES * UNIFORM_STEP) / 4);
  readonly #sliceGroup: GPUBindGroup;
  readonly #read: GPUBuffer;
  readonly #underWay: Promise<void>[] = [];
  #lastEnd = 0;
  #steps = 0;
  #dispatches = 0;
  #submits = 0;

  /** @param mostWords of a result */
  constructor(
    device: GPUDevice,
    kernels: KernelCache,
    life: DeviceLife,
    pace: Pace,
    maker: BufferMaker,
    mostWords: number,
  ) {
    this.#device = device;
    this.#life = life;
    this.#pace = pace;
    this.#slices = maker.empty(MOST_SLICES * UNIFORM_STEP, GPUBufferUsage.UNIFORM);
    this.#sliceGroup = device.createBindGroup({
      layout: kernels.sliceLayout,
      entries: [{ binding: 0, resource: { buffer: this.#slices, size: SLICE_BYTES } }],
    });
    this.#read = maker.empty(4 * mostWords, GPUBufferUsage.MAP_READ);
  }

  /** Steps so far: dispatches, had none been cut. */
  get steps(): number {
    return this.#steps;
  }

  /** Dispatches so far. */
  get dispatches(): number {
    return this.#dispatches;
  }

  /** Submits so far. */
  get submits(): number {
    return this.#submits;
  }

  /**
   * Runs steps one after the other and reads a result.
   * @throws FailureError `gpu-lost`; the signal's reason, when nothing is under way any more
   */
  async run(parts: readonly Run[], result: Reading, signal?: AbortSignal): Promise<Int32Array> {
    this.#life.check();
    try {
      let recording = this.#record();
      for (const { step, batch } of parts.flatMap(({ steps, batch: each }) =>
        steps.map((one) => ({ step: one, batch: each })),
      )) {
        const [width, height] = step.grid(batch.rows);
        const work = step.work(batch);
        this.#steps += 1;
        for (let start = 0; start < width * height;) {
          const room = Math.floor((this.#pace.workOfSubmit - recording.work) / work);
          if (recording.work > 0 && (room < 1 || recording.slices === MOST_SLICES)) {
            // oxlint-disable-next-line no-await-in-loop -- no more may be under way
            await this.#submit(recording, signal);
            recording = this.#record();
          } else {
            const count = Math.max(1, Math.min(room, width * height - start, MOST_WORKGROUPS));
            this.#dispatch(recording, step, [batch.rows, batch.first, start, width], count);
            recording.work += count * work;
            start += count;
          }
        }
      }
      recording.pass.end();
      recording.commands.copyBufferToBuffer(result.buffer, 0, this.#read, 0, 4 * result.words);
      return await this.#finish(recording, result.words, signal);
    } catch (error) {
      await this.#life.settled(Promise.all(this.#underWay));
      throw error;
    }
  }

  #record(): Recording {
    const commands = this.#device.createCommandEncoder();
    return { commands, pass: commands.beginComputePass(), work: 0, slices: 0, last: "" };
  }

  /** @param words of the slice */
  #dispatch(
    recording: Recording,
    { pipeline, bindings }: Step,
    words: readonly number[],
    workgroups: number,
  ): void {
    const { pass } = recording;
    // Mostly it is that of the step before.
    if (words.join() !== recording.last) {
      this.#sliceWords.set(words, (recording.slices * UNIFORM_STEP) / 4);
      recording.last = words.join();
      recording.slices += 1;
    }
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindings);
    pass.setBindGroup(1, this.#sliceGroup, [(recording.slices - 1) * UNIFORM_STEP]);
    pass.dispatchWorkgroups(workgroups);
    this.#dispatches += 1;
  }

  async #submit(recording: Recording, signal: AbortSignal | undefined): Promise<void> {
    recording.pass.end();
    this.#send(recording);
    while (this.#underWay.length >= MOST_UNDER_WAY)
      // oxlint-disable-next-line no-await-in-loop -- in the order of submits
      await this.#life.settled(this.#underWay[0] ?? Promise.resolve());
    signal?.throwIfAborted();
  }

  /** Submits, and measures how long that takes. */
  #send({ commands, work, slices }: Recording): void {
    this.#device.queue.writeBuffer(this.#slices, 0, this.#sliceWords, 0, (slices * UNIFORM_STEP) / 4);
    this.#device.queue.submit([commands.finish()]);
    this.#submits += 1;
    this.#underWay.push(this.#watch(work));
  }

  async #watch(work: number): Promise<void> {
    const begun = performance.now();
    await this.#device.queue.onSubmittedWorkDone();
    const end = performance.now();
    this.#pace.observe(work, end - Math.max(begun, this.#lastEnd));
    this.#lastEnd = end;
    void this.#underWay.shift();
  }

  async #finish(recording: Recording, words: number, signal: AbortSignal | undefined): Promise<Int32Array> {
    this.#send(recording);
    await this.#life.settled(this.#read.mapAsync(GPUMapMode.READ, 0, 4 * words));
    const values = new Int32Array(this.#read.getMappedRange(0, 4 * words).slice(0));
    this.#read.unmap();
    await this.#life.settled(Promise.all(this.#underWay));
    signal?.throwIfAborted();
    return values;
  }
}
