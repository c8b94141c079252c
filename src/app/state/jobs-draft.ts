import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { cidOf, RAW } from "../../protocol/cid.ts";
import { type Failure, FailureError } from "../../protocol/failure.ts";
import { MAX_BLOB_BYTES } from "../../protocol/limits.ts";
import type { Inspection, TaskResult, TrialEnd, Workbench } from "../../provider/workbench.ts";
import type { JobOptions } from "../../sdk/index.ts";
import { loadAsset } from "./jobs-asset.ts";
import type { Example } from "./jobs-examples.ts";
import { type InputList, type InputSource, inputsOf, type JobInput } from "./jobs-inputs.ts";
import { FIRST_PICTURE, type PictureChoice, planPicture, type TiledPicture } from "./jobs-picture.ts";
import { type JobSettings, type Measured, optionsOf, PLAIN_SETTINGS } from "./jobs-settings.ts";
import { DRY_SEED, type FunctionFile, measuredWith, samplePlaces, trialOf } from "./jobs-trial.ts";
import { failed, type Loadable, LOADING, ready } from "./loadable.ts";

/** The function that the person has chosen. */
export interface ChosenFunction extends FunctionFile {
  readonly name: string;
  readonly inspection: Loadable<Inspection>;
  /** Its inputs are the tiles of a picture. */
  readonly isPicture: boolean;
}

/** A run of one input in this tab. */
export type DryRun =
  | { readonly kind: "running"; readonly inputName: string }
  | {
      readonly kind: "ended";
      readonly inputName: string;
      readonly index: number;
      readonly result: TaskResult;
      readonly tookMs: number;
      /** What it and some further inputs told; absent where nothing is known. */
      readonly measured: Measured | undefined;
    }
  | Extract<Loadable<never>, { kind: "failed" }>;

/** A file that every task of the job finds. */
export interface SharedFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Further inputs are tried for the price within this time, milliseconds. */
const SAMPLING_MS = 2_000;

interface Drafted<T> {
  value: T;
}

/** A job that is being made up: its function, its inputs, its settings, and what a dry run told. */
export class JobDraft {
  readonly chosen: Drafted<ChosenFunction | undefined> = signal<ChosenFunction | undefined>(undefined);
  /** Why a file was not taken. */
  readonly refusal: Drafted<Failure | undefined> = signal<Failure | undefined>(undefined);
  readonly source: Drafted<InputSource> = signal<InputSource>({ kind: "lines", text: "" });
  readonly settings: Drafted<JobSettings> = signal<JobSettings>(PLAIN_SETTINGS);
  /** What every task finds below its root. */
  readonly files: Drafted<readonly SharedFile[]> = signal<readonly SharedFile[]>([]);
  readonly picture: Drafted<PictureChoice> = signal<PictureChoice>(FIRST_PICTURE);
  readonly plan: Drafted<Loadable<TiledPicture>> = signal<Loadable<TiledPicture>>(LOADING);
  readonly dryRun: Drafted<DryRun | undefined> = signal<DryRun | undefined>(undefined);
  readonly #bench: Workbench;
  readonly #isPicture: ReadonlySignal<boolean> = computed(() => this.chosen.value?.isPicture === true);
  /** Made anew only when what they follow from has changed: there may be thousands. */
  readonly #inputs: ReadonlySignal<InputList> = computed(() => this.#listed());
  #trying: AbortController | undefined;
  #looking: AbortController | undefined;
  #planning: Promise<TiledPicture> | undefined;

  constructor(bench: Workbench) {
    this.#bench = bench;
  }

  async choose(file: File): Promise<void> {
    if (file.size > MAX_BLOB_BYTES) {
      const detail = `${file.name} has ${file.size} bytes, at most ${MAX_BLOB_BYTES}`;
      this.refusal.value = new FailureError("too-large", detail).toFailure();
      return;
    }
    await this.#take(file.name, new Uint8Array(await file.arrayBuffer()), false);
  }

  async useExample({ name, url, source, isPicture }: Example): Promise<void> {
    try {
      const module = await loadAsset(url);
      this.source.value = source;
      this.settings.value = PLAIN_SETTINGS;
      this.files.value = [];
      await this.#take(name, module, isPicture);
    } catch (error) {
      this.refusal.value = failed(error).failure;
    }
  }

  setSource(source: InputSource): void {
    this.source.value = source;
    this.stopTrying();
  }

  setSettings(change: Partial<JobSettings>): void {
    this.settings.value = { ...this.settings.value, ...change };
    if ("entry" in change || "raw" in change) void this.#look();
  }

  /** Files of one name take the place of each other. */
  async addFiles(chosen: readonly File[]): Promise<void> {
    const added = await Promise.all(
      chosen.map(async (file) => ({ path: file.name, bytes: new Uint8Array(await file.arrayBuffer()) })),
    );
    const names = new Set(added.map(({ path }) => path));
    this.files.value = [...this.files.value.filter(({ path }) => !names.has(path)), ...added];
    this.stopTrying();
  }

  dropFiles(): void {
    this.files.value = [];
    this.stopTrying();
  }

  /** The options of the job, as the fields stand. @throws FailureError `malformed` with a sentence that names the field */
  options(measured: Measured | undefined): JobOptions {
    const { value: files } = this.files;
    return { ...optionsOf(this.settings.value, measured), ...(files.length === 0 ? {} : { files }) };
  }

  setPicture(change: Partial<PictureChoice>): void {
    this.picture.value = { ...this.picture.value, ...change };
    this.stopTrying();
    void this.#plan();
  }

  /** The inputs as they stand. */
  inputs(): InputList {
    return this.#inputs.value;
  }

  /** What the dry run told. */
  measured(): Measured | undefined {
    const run = this.dryRun.value;
    return run?.kind === "ended" ? run.measured : undefined;
  }

  /** Runs one input here, and for the price some others, for as long as a person likes to wait. @param index of the input */
  async tryHere(index: number): Promise<void> {
    const { value: chosen } = this.chosen;
    const list = this.inputs();
    const inputs = list.kind === "ready" ? list.inputs : [];
    const input = inputs[index];
    if (chosen === undefined || input === undefined) return;
    this.stopTrying();
    const own = new AbortController();
    this.#trying = own;
    this.dryRun.value = { kind: "running", inputName: input.name };
    try {
      const options = this.options(undefined);
      const run = async (each: JobInput): Promise<TrialEnd> =>
        this.#bench.run(trialOf(chosen, options, await each.read(), DRY_SEED), own.signal);
      const first = { kind: "ended", inputName: input.name, index, ...(await run(input)) } as const;
      if (this.#trying !== own) return;
      let measured = measuredWith(undefined, first.result);
      this.dryRun.value = { ...first, measured };
      const until = performance.now() + SAMPLING_MS - first.tookMs;
      for (const place of samplePlaces(inputs.length, index)) {
        const other = inputs[place];
        if (other === undefined || performance.now() > until) break;
        // oxlint-disable-next-line no-await-in-loop -- one thread
        const { result } = await run(other);
        if (this.#trying !== own) return;
        measured = measuredWith(measured, result);
        this.dryRun.value = { ...first, measured };
      }
    } catch (error) {
      if (this.#trying === own) this.dryRun.value = failed(error);
    }
  }

  /** Ends the dry run, and forgets what it told. */
  stopTrying(): void {
    this.#trying?.abort(new FailureError("cancelled", "the dry run was stopped"));
    this.#trying = undefined;
    this.dryRun.value = undefined;
  }

  #listed(): InputList {
    if (!this.#isPicture.value) return inputsOf(this.source.value);
    const plan = this.plan.value;
    if (plan.kind === "ready") return { kind: "ready", inputs: plan.value.inputs };
    return plan.kind === "loading"
      ? { kind: "empty", hint: "Cutting the picture into tiles…" }
      : {
          kind: "wrong",
          problem: "The scene could not be loaded. Check your connection and choose it again.",
        };
  }

  async #take(name: string, module: Uint8Array, isPicture: boolean): Promise<void> {
    this.refusal.value = undefined;
    this.stopTrying();
    this.chosen.value = { name, cid: cidOf(RAW, module), module, inspection: LOADING, isPicture };
    if (isPicture) void this.#plan();
    await this.#look();
  }

  async #look(): Promise<void> {
    const { value: chosen } = this.chosen;
    if (chosen === undefined) return;
    this.#looking?.abort(new FailureError("cancelled", "looked at anew"));
    const own = new AbortController();
    this.#looking = own;
    const { entry, raw } = this.settings.value;
    let inspection: Loadable<Inspection>;
    try {
      const asked = `${raw ? "raw+" : ""}${entry.trim()}`;
      inspection = ready(await this.#bench.inspect(chosen.module, asked, own.signal));
    } catch (error) {
      const detail = error instanceof Error ? error.message : "the function could not be looked at";
      inspection = failed(new FailureError("worker-lost", detail));
    }
    if (this.#looking === own) this.chosen.value = { ...chosen, inspection };
  }

  async #plan(): Promise<void> {
    const planning = planPicture(this.picture.value);
    this.#planning = planning;
    this.plan.value = LOADING;
    try {
      const plan = await planning;
      if (this.#planning === planning) this.plan.value = ready(plan);
    } catch (error) {
      if (this.#planning === planning) this.plan.value = failed(error);
    }
  }
}
