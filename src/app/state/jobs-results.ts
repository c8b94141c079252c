import { failureKind } from "../../protocol/failure-code.ts";
import { type ArchiveFile, archiveNames, tarOf } from "./jobs-tar.ts";
import { lookOf } from "./jobs-output.ts";
import type { JobInput } from "./jobs-inputs.ts";
import type { TaskRecord } from "./jobs-work.ts";

/** Inputs of a job, and what came of them. */
export interface Served {
  readonly order: { readonly inputs: readonly Pick<JobInput, "name">[] };
  readonly records: ReadonlyMap<number, TaskRecord>;
}

/** Records in the order of their inputs. */
export function recordsInOrder(work: Served): readonly TaskRecord[] {
  return [...work.records.values()].toSorted((a, b) => a.index - b.index);
}

/** How much of an output is looked at to name its kind. */
const LOOKED_BYTES = 4_096;

const EXTENSIONS: ReadonlyMap<string, string> = new Map([
  ["image/png", ".png"],
  ["image/jpeg", ".jpg"],
  ["image/gif", ".gif"],
  ["image/webp", ".webp"],
  ["image/bmp", ".bmp"],
]);

async function extensionOf(output: Blob): Promise<string> {
  const look = lookOf(new Uint8Array(await output.slice(0, LOOKED_BYTES).arrayBuffer()));
  if (look.kind === "picture") return EXTENSIONS.get(look.type) ?? ".out";
  return look.kind === "text" ? ".txt" : ".out";
}

/** What an output is called: after its input, numbered where that is no file. */
export async function outputName(work: Served, { index }: TaskRecord, output: Blob): Promise<string> {
  const name = work.order.inputs[index]?.name ?? "";
  const digits = Math.max(3, String(work.order.inputs.length).length);
  const isFile = name.includes(".");
  const [stem] = archiveNames([isFile ? name : String(index + 1).padStart(digits, "0")]);
  return `${stem ?? "output"}${await extensionOf(output)}`;
}

/** All outputs in one archive. */
export async function resultsArchive(work: Served, nowMs: number): Promise<Blob> {
  const outputs = recordsInOrder(work).flatMap((record) =>
    record.end.kind === "done" ? [{ record, output: record.end.output }] : [],
  );
  const wanted = await Promise.all(outputs.map(({ record, output }) => outputName(work, record, output)));
  const names = archiveNames(wanted);
  const files = outputs.map(({ output }, at): ArchiveFile => ({
    name: names[at] ?? `output-${at}`,
    content: output,
  }));
  return tarOf(files, nowMs / 1_000);
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
  const output = await contentOf(new Uint8Array(await end.output.arrayBuffer()));
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
