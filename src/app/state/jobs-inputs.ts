import { MAX_TASK_BYTES } from "../../protocol/limits.ts";

/** What becomes one task: its bytes are read when somebody has room for it. */
export interface JobInput {
  /** For the person: the file, the line, the number. */
  readonly name: string;
  readonly size: number;
  read(): Promise<Uint8Array>;
}

/** Where the inputs of a job come from. */
export type InputSource =
  | { readonly kind: "files"; readonly files: readonly File[] }
  | { readonly kind: "lines"; readonly text: string }
  | { readonly kind: "numbers"; readonly from: string; readonly to: string }
  | { readonly kind: "nothing" };

/** Inputs, or what stands against them. */
export type InputList =
  | { readonly kind: "ready"; readonly inputs: readonly JobInput[] }
  | { readonly kind: "empty"; readonly hint: string }
  | { readonly kind: "wrong"; readonly problem: string };

/** Inputs of one job on this page: their results are held in its memory and listed. The command line takes a million. */
export const MOST_INPUTS = 10_000;

const NONE: readonly JobInput[] = [];

function fixed(name: string, bytes: Uint8Array): JobInput {
  return { name, size: bytes.length, read: () => Promise.resolve(bytes) };
}

function textInput(name: string, text: string): JobInput {
  return fixed(name, new TextEncoder().encode(text));
}

function checked(inputs: readonly JobInput[], hint: string): InputList {
  if (inputs.length === 0) return { kind: "empty", hint };
  if (inputs.length > MOST_INPUTS)
    return {
      kind: "wrong",
      problem: `${inputs.length.toLocaleString("en")} inputs, at most ${MOST_INPUTS.toLocaleString("en")} at once on this page.`,
    };
  const large = inputs.find(({ size }) => size > MAX_TASK_BYTES);
  if (large !== undefined)
    return {
      kind: "wrong",
      problem: `${large.name} is larger than one input may be, ${MAX_TASK_BYTES / 2 ** 20} MiB.`,
    };
  return { kind: "ready", inputs };
}

function fileInput(file: File): JobInput {
  return {
    name: file.webkitRelativePath === "" ? file.name : file.webkitRelativePath,
    size: file.size,
    read: async () => new Uint8Array(await file.arrayBuffer()),
  };
}

/** Lines with text in them; each keeps its number in the text. */
function lineInputs(text: string): readonly JobInput[] {
  return text
    .split(/\r?\n/u)
    .flatMap((line, index) => (line.trim() === "" ? NONE : [textInput(`line ${index + 1}`, line)]));
}

function numberInputs(from: string, to: string): InputList {
  const [first, last] = [from, to].map((text) => (text.trim() === "" ? Number.NaN : Number(text)));
  if (first === undefined || last === undefined || Number.isNaN(first) || Number.isNaN(last))
    return { kind: "empty", hint: "Each number from the first to the last becomes an input, as text." };
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(last))
    return { kind: "wrong", problem: "Both are whole numbers." };
  if (last < first) return { kind: "wrong", problem: "The last number is not below the first." };
  const count = Math.min(last - first + 1, MOST_INPUTS + 1);
  if (count > MOST_INPUTS)
    return {
      kind: "wrong",
      problem: `${(last - first + 1).toLocaleString("en")} numbers, at most ${MOST_INPUTS.toLocaleString("en")} at once on this page.`,
    };
  const inputs = Array.from({ length: count }, (_, index) =>
    textInput(`number ${first + index}`, String(first + index)),
  );
  return { kind: "ready", inputs };
}

export function inputsOf(source: InputSource): InputList {
  switch (source.kind) {
    case "files":
      return checked(source.files.map(fileInput), "Each file becomes an input of its own.");
    case "lines":
      return checked(lineInputs(source.text), "Each line with text in it becomes an input.");
    case "numbers":
      return numberInputs(source.from, source.to);
    case "nothing":
      return { kind: "ready", inputs: [fixed("one run", new Uint8Array(0))] };
    default:
      return source satisfies never;
  }
}

/** Bytes of all inputs, and of the largest. */
export function sizesOf(inputs: readonly JobInput[]): { readonly total: number; readonly largest: number } {
  return inputs.reduce(
    ({ total, largest }, { size }) => ({ total: total + size, largest: Math.max(largest, size) }),
    { total: 0, largest: 0 },
  );
}

export async function* readAll(inputs: readonly JobInput[]): AsyncGenerator<Uint8Array> {
  // oxlint-disable-next-line no-await-in-loop -- read when somebody has room for it
  for (const input of inputs) yield await input.read();
}
