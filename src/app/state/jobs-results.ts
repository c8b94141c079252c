import { failureKind } from "../../protocol/failure-code.ts";
import { archiveNames, tarOf } from "./jobs-tar.ts";
import { bytesOf } from "./jobs-kept.ts";
import type { JobInput } from "./jobs-inputs.ts";
import type { TaskRecord } from "./jobs-work.ts";

/** Inputs of a job, and what came of them. */
export interface Served {
  readonly order: { readonly inputs: readonly Pick<JobInput, "name">[] };
  readonly records: ReadonlyMap<number, TaskRecord>;
}

/** Records in the order of their inputs. */
export function recordsInOrder({ order, records }: Served): readonly TaskRecord[] {
  return order.inputs.flatMap((_, index) => records.get(index) ?? []);
}

/** Some of the records, in the order of their inputs. @param from how many are passed over */
export function recordsAt(
  work: Served,
  isWanted: (record: TaskRecord) => boolean,
  from: number,
  count: number,
): readonly TaskRecord[] {
  const rows: TaskRecord[] = [];
  let passed = 0;
  for (let index = 0; index < work.order.inputs.length && rows.length < count; index += 1) {
    const record = work.records.get(index);
    if (record === undefined || !isWanted(record)) continue;
    if (passed < from) passed += 1;
    else rows.push(record);
  }
  return rows;
}

/** What an output is called: after its input, numbered where that is no file. */
export function outputName({ order }: Served, index: number, suffix: string): string {
  const name = order.inputs[index]?.name ?? "";
  const digits = Math.max(3, String(order.inputs.length).length);
  const [stem = "output"] = archiveNames([
    name.includes(".") ? name : String(index + 1).padStart(digits, "0"),
  ]);
  return `${stem}${suffix}`;
}

/** All outputs in one archive. */
export function resultsArchive(work: Served, nowMs: number): Blob {
  const outputs = recordsInOrder(work).flatMap(({ index, end }) =>
    end.kind === "done" ? [{ name: outputName(work, index, end.suffix), output: end.output }] : [],
  );
  const names = archiveNames(outputs.map(({ name }) => name));
  return tarOf(
    outputs.map(({ output, name }, at) => ({ name: names[at] ?? name, content: output })),
    nowMs / 1_000,
  );
}

/**
 * All results as JSON lines: `{input, ok, output | code, name, detail, fuel, provider}`. An output that is no UTF-8 is base64
 * under `base64`.
 */
export async function resultsLines(work: Served): Promise<Blob> {
  const lines = await Promise.all(recordsInOrder(work).map((record) => lineOf(work, record)));
  return new Blob(
    lines.map((line) => `${line}\n`),
    { type: "application/x-ndjson" },
  );
}

async function lineOf(work: Served, { index, fuel, provider, end }: TaskRecord): Promise<string> {
  const input = work.order.inputs[index]?.name ?? String(index);
  const common = { index, input, fuel: fuel.toString(), ...(provider === undefined ? {} : { provider }) };
  if (end.kind === "failed") {
    const { name } = failureKind(end.code);
    return JSON.stringify({ ...common, ok: false, code: end.code, name, detail: end.detail });
  }
  const output = await contentOf(await bytesOf(end.output));
  return JSON.stringify({ ...common, ok: true, outputCid: end.outputCid, ...output });
}

async function contentOf(bytes: Uint8Array<ArrayBuffer>): Promise<{ output: string } | { base64: string }> {
  try {
    return { output: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { base64: await base64Of(bytes) };
  }
}

/** Pieces whose length is a multiple of three make base64 that can be put together. */
const PIECE = 24_576;

async function base64Of(bytes: Uint8Array): Promise<string> {
  const pieces: string[] = [];
  for (let at = 0; at < bytes.length; at += PIECE)
    pieces.push(btoa(String.fromCodePoint(...bytes.subarray(at, at + PIECE))));
  return pieces.join("");
}
