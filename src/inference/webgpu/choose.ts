import type { Matrix } from "../model/matrix.ts";
import { BufferMaker } from "./buffer-maker.ts";
import { type Choice, CHOICES } from "./choice.ts";
import type { Step } from "./plan.ts";
import { Planner } from "./plan.ts";
import { uploadMatrix } from "./upload-matrix.ts";
import type { DeviceParts } from "./webgpu-backend.ts";

/** Products that are measured: large enough to tell variants apart on a fast device, short enough on a slow one. */
const ROWS = 32;
const OUTPUTS = 256;
const COLUMNS = 512;
/** A measurement is repeated until it takes so long. */
const TELLING_MS = 4;
const MOST_REPEATS = 256;

export interface Measured {
  readonly choice: Choice;
  /** Milliseconds of each variant's products, by its name. */
  readonly times: Readonly<Record<string, number>>;
  /** Multiply-adds per millisecond of the slower of the two that were chosen. */
  readonly workPerMs: number;
}

/** Measures each variant once and takes the faster ones. Which they are changes no bit. */
export async function chooseVariants(parts: Omit<DeviceParts, "choice">): Promise<Measured> {
  const { device, kernels, life, budget } = parts;
  const maker = new BufferMaker(device, budget);
  try {
    const matrix = uploadMatrix(maker, [zeros(OUTPUTS, COLUMNS)]);
    const row = {
      source: "plain",
      columns: COLUMNS,
      fraction: 14,
      buffers: { 2: maker.words(ROWS * COLUMNS), 3: maker.words(1) },
    } as const;
    const target = { results: maker.words(ROWS * OUTPUTS), fraction: 14 };
    const slice = maker.empty(16, GPUBufferUsage.UNIFORM);
    const planner = (choice: Choice): Planner => new Planner(device, kernels, choice, maker, ROWS, COLUMNS);
    const plans = CHOICES.flatMap((choice) => [
      { name: nameOf.rows(choice), rows: ROWS, steps: planner(choice).products(row, matrix, target) },
      { name: nameOf.one(choice), rows: 1, steps: planner(choice).productsOfOne(row, matrix, target) },
    ]);
    const compiled = await Promise.all(
      plans.map(async ({ name, rows, steps }) => ({ name, rows, steps: await Promise.all(steps) })),
    );
    const group = device.createBindGroup({
      layout: kernels.sliceLayout,
      entries: [{ binding: 0, resource: { buffer: slice } }],
    });
    const times = new Map<string, number>();
    for (const { name, rows: count, steps } of compiled) {
      // The product is the last step.
      const step = steps.at(-1);
      if (step === undefined) throw new TypeError("products have steps");
      const [width] = step.grid(count);
      device.queue.writeBuffer(slice, 0, Uint32Array.of(count, 0, 0, width));
      // oxlint-disable-next-line no-await-in-loop -- one after the other is what is measured
      times.set(name, await life.settled(timeOf(device, group, step, count)));
    }
    const time = (name: string): number => times.get(name) ?? Infinity;
    const { rows } = fastest((each) => time(nameOf.rows(each)));
    const { slices } = fastest((each) => time(nameOf.one(each)));
    const choice = { rows, slices };
    const work = OUTPUTS * COLUMNS;
    const workPerMs = Math.min((ROWS * work) / time(nameOf.rows(choice)), work / time(nameOf.one(choice)));
    return { choice, times: Object.fromEntries(times), workPerMs };
  } finally {
    maker.destroy();
  }
}

const nameOf = {
  rows: ({ rows }: Choice): string => rows,
  one: ({ slices }: Choice): string => `multiply-row, ${slices}`,
} as const;

function fastest(timeOfChoice: (choice: Choice) => number): Choice {
  return CHOICES.reduce((best, each) => (timeOfChoice(each) < timeOfChoice(best) ? each : best));
}

/** Milliseconds of a step, in the shortest of some submits. */
async function timeOf(
  device: GPUDevice,
  slice: GPUBindGroup,
  { pipeline, bindings, grid }: Step,
  rows: number,
): Promise<number> {
  const [width, height] = grid(rows);
  const submit = async (repeats: number): Promise<number> => {
    const commands = device.createCommandEncoder();
    const pass = commands.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindings);
    pass.setBindGroup(1, slice, [0]);
    for (let i = 0; i < repeats; i += 1) pass.dispatchWorkgroups(width * height);
    pass.end();
    const begun = performance.now();
    device.queue.submit([commands.finish()]);
    await device.queue.onSubmittedWorkDone();
    return performance.now() - begun;
  };
  // The first use of a kernel may take its compilation.
  await submit(1);
  let repeats = 1;
  let time = await submit(repeats);
  while (time < TELLING_MS && repeats < MOST_REPEATS) {
    repeats *= 4;
    // oxlint-disable-next-line no-await-in-loop -- one after the other is what is measured
    time = await submit(repeats);
  }
  return Math.min(time, await submit(repeats)) / repeats;
}

function zeros(rows: number, columns: number): Matrix {
  return {
    rows,
    columns,
    stride: columns,
    bits: 8,
    values: new Int8Array(rows * columns),
    multipliers: new Uint8Array((rows * columns) / 32),
    scales: new Uint32Array(rows),
  };
}
