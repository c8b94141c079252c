import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import type { LocalText } from "../../relay/models/open-model.ts";
import { listenForInterrupts } from "../interrupts.ts";
import { EXIT, type Exit, usageError } from "../plain-error.ts";
import { bytesText, fuelText } from "../quantities.ts";
import type { SamplingFlags } from "../sampling-flags.ts";
import { writeAll } from "../write-all.ts";
import { embedText } from "./embed-text.ts";
import {
  adapterTold,
  chosenWorkers,
  type LocalBackend,
  memoryTold,
  type OpenedLocally,
  openOn,
  peakBytes,
  startTold,
  tenths,
} from "./open-local.ts";

export interface RunFlags extends SamplingFlags {
  readonly local?: boolean;
  readonly prompt: string;
  readonly backend: LocalBackend;
  readonly workers?: number;
  readonly transcript?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Runs a model file on this machine: continues a prompt, or makes its vector. */
export async function runModel(file: string, flags: RunFlags): Promise<Exit> {
  if (flags.local !== true)
    throw usageError(
      "`model run` runs a file on this machine.",
      "Add --local; over the mesh, `npx tabmesh chat` and `npx tabmesh embed` do it.",
    );
  const interrupts = listenForInterrupts(() => undefined);
  let opened: OpenedLocally | undefined;
  try {
    const { backend } = flags;
    // More gain nothing for what is written token by token.
    const workers = chosenWorkers(flags, 1);
    opened = await openOn(file, { backend, workers, signal: interrupts.signal });
    await runOpened(opened, flags, interrupts.signal);
    return EXIT.ok;
  } catch (error) {
    if (!interrupts.signal.aborted) throw error;
    return EXIT.interrupted;
  } finally {
    interrupts.release();
    await opened?.model.close();
  }
}

function runOpened(opened: OpenedLocally, flags: RunFlags, signal: AbortSignal): Promise<void> {
  if (opened.model.kind === "llama") return continueText(opened, flags, signal);
  if (flags.transcript !== undefined)
    throw usageError("A sentence encoder writes no transcript.", "--json has the hash of its vector.");
  return embedText(opened, flags, signal);
}

async function continueText(opened: OpenedLocally, flags: RunFlags, signal: AbortSignal): Promise<void> {
  const seed = flags.seed ?? new Uint8Array(randomBytes(32));
  const sampling = {
    temperatureMilli: flags.temperature,
    topK: flags.topK,
    topPMilli: flags.topP,
    // A greedy text has no randomness; its transcript is the same whoever wrote it.
    seed: flags.temperature === 0 ? new Uint8Array(32) : seed,
  };
  const job = { prompt: flags.prompt, mostTokens: flags.maxTokens, sampling, stop: flags.stop, signal };
  if (flags.json !== true) await writeAll(process.stdout, flags.prompt);
  const made = await opened.model.write(job, async (piece) => {
    if (flags.json !== true) await writeAll(process.stdout, piece);
  });
  if (flags.transcript !== undefined)
    await writeFile(flags.transcript, `${JSON.stringify(made.transcript)}\n`);
  if (flags.json === true)
    await writeAll(process.stdout, `${JSON.stringify(told(opened, flags.backend, made))}\n`);
  else await writeAll(process.stdout, "\n");
  if (flags.json !== true && flags.quiet !== true) await writeAll(process.stderr, summary(opened, made));
}

function told(
  opened: OpenedLocally,
  backend: LocalBackend,
  { text, endedBy, tokens, fuel, prefillMs, decodeMs, transcript }: LocalText,
): unknown {
  return {
    ok: true,
    text,
    endedBy,
    backend,
    ...adapterTold(opened),
    tokens,
    fuel,
    ms: { ...startTold(opened), prefill: tenths(prefillMs), decode: tenths(decodeMs) },
    ...memoryTold(opened),
    transcript,
  };
}

function summary({ computedBy, model }: OpenedLocally, { tokens, decodeMs, fuel }: LocalText): string {
  const { written, prompt } = tokens;
  const speed = written > 1 ? `, ${(((written - 1) * 1_000) / decodeMs).toFixed(1)} tokens/s` : "";
  return (
    `${written} tokens after ${prompt}${speed}, ${fuelText(BigInt(fuel))}, ` +
    `${bytesText(peakBytes(model.peak))} at most, ${computedBy}\n`
  );
}
