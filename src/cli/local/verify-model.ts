import { readFile } from "node:fs/promises";
import { EXIT, type Exit, PlainError, usageError } from "../plain-error.ts";
import { durationText } from "../quantities.ts";
import { writeAll } from "../write-all.ts";
import { adapterTold, chosenWorkers, type LocalBackend, openOn, tenths } from "./open-local.ts";

export interface VerifyFlags {
  readonly model: string;
  readonly backend: LocalBackend;
  readonly workers?: number;
  readonly json?: boolean;
}

async function readTranscript(path: string): Promise<unknown> {
  const text = await readFile(path, "utf8");
  try {
    const value: unknown = JSON.parse(text);
    // What `model run --json` prints holds the transcript as one of its fields.
    return typeof value === "object" && value !== null && "transcript" in value ? value.transcript : value;
  } catch (error) {
    throw new PlainError({ what: `${path} is no JSON.`, cause: error });
  }
}

/** Recomputes a transcript on this machine. */
export async function verifyModel(file: string, flags: VerifyFlags): Promise<Exit> {
  const { model: path, backend, json } = flags;
  const workers = chosenWorkers(flags, "auto");
  const transcript = await readTranscript(file);
  const opened = await openOn(path, { backend, workers });
  const { model, browser } = opened;
  try {
    if (model.kind !== "llama")
      throw usageError(`${path} is a sentence encoder, which writes no transcripts.`);
    const begun = performance.now();
    const verdict = await model.verify(transcript);
    const ms = performance.now() - begun;
    const holds = verdict.kind === "holds";
    const by = browser === undefined ? "" : `, ${opened.computedBy}`;
    const text = holds
      ? `The transcript holds: ${verdict.positions} positions recomputed in ${durationText(ms)}${by}.`
      : `The transcript does not hold: the ${verdict.what} of position ${verdict.position} differs${by}.`;
    const told = { ok: holds, ...verdict, ...adapterTold(opened), ms: tenths(ms) };
    await writeAll(process.stdout, `${json === true ? JSON.stringify(told) : text}\n`);
    return holds ? EXIT.ok : EXIT.failed;
  } finally {
    await model.close();
  }
}
