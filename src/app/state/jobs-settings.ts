import { FailureError } from "../../protocol/failure.ts";
import type { JobOptions } from "../../sdk/index.ts";

/** What a person may set of a job, as it stands in the fields. An empty field leaves it to the page. */
export interface JobSettings {
  /** One argument a line. "{input}" stands for the input. */
  readonly args: string;
  readonly inputFile: string;
  readonly outputFile: string;
  readonly entry: string;
  /** Of a component: bytes go in and come out as they are, not as JSON. */
  readonly raw: boolean;
  /** Giga-fuel of one task. */
  readonly fuel: string;
  /** MiB. */
  readonly memory: string;
  /** Seconds of one task. */
  readonly deadline: string;
  readonly parallel: string;
  readonly replicas: string;
  /** Credits. */
  readonly cap: string;
  readonly accept: "signed" | "audited";
  readonly disclosure: "relay" | "peers";
}

export const PLAIN_SETTINGS: JobSettings = {
  args: "",
  inputFile: "",
  outputFile: "",
  entry: "",
  raw: false,
  fuel: "",
  memory: "",
  deadline: "",
  parallel: "",
  replicas: "",
  cap: "",
  accept: "signed",
  disclosure: "relay",
};

/** What inputs that were tried here told of a function. */
export interface Measured {
  readonly samples: number;
  /** Of these, those on which the function failed: their fuel is paid as well. */
  readonly failed: number;
  /** Fuel of all of them together, and of the one that took most. */
  readonly fuel: bigint;
  readonly mostFuel: bigint;
  /** Bytes of all outputs together. */
  readonly outputBytes: number;
}

/** A task may burn so many times what the dry run did: inputs differ. */
const FUEL_MARGIN = 8n;
/** Below this the limit is not worth lowering: its price is next to nothing. */
const LEAST_FUEL = 1_000_000_000n;
/** Limits where neither person nor dry run says otherwise: those of the SDK. */
const USUAL_FUEL = 20_000_000_000n;

const GIGA = 1_000_000_000;
const MICROS = 1_000_000;
const MIB: number = 1024 * 1024;

function refuse(problem: string): never {
  throw new FailureError("malformed", problem);
}

interface Range {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  readonly whole?: boolean;
}

/** @throws FailureError `malformed` with a sentence for the person. */
function numberIn(text: string, { name, least, most, whole = false }: Range): number | undefined {
  if (text.trim() === "") return undefined;
  const value = Number(text);
  if (!(value >= least && value <= most) || (whole && !Number.isInteger(value)))
    refuse(
      `${name}: ${whole ? "a whole number" : "a number"} from ${least} to ${most.toLocaleString("en")}.`,
    );
  return value;
}

/** Paths in a job start at the program's root, without a slash. */
function pathOf(text: string): string {
  return text.trim().replace(/^\/+/u, "");
}

/** The fuel limit of a task: the person's, else a multiple of what the dry run burnt, else the usual one. */
export function fuelLimitOf({ fuel }: Pick<JobSettings, "fuel">, measured: Measured | undefined): bigint {
  const chosen = numberIn(fuel, { name: "Fuel", least: 0.001, most: 1_000_000 });
  if (chosen !== undefined) return BigInt(Math.round(chosen * GIGA));
  if (measured === undefined) return USUAL_FUEL;
  const wanted = measured.mostFuel * FUEL_MARGIN;
  return wanted > LEAST_FUEL ? wanted : LEAST_FUEL;
}

/** What is said about how the program is called: the same for a dry run and a job. */
function programOf(settings: JobSettings): JobOptions {
  const args = settings.args.split(/\r?\n/u).filter((line) => line !== "");
  const [inputFile, outputFile] = [pathOf(settings.inputFile), pathOf(settings.outputFile)];
  const entry = `${settings.raw ? "raw+" : ""}${settings.entry.trim()}`;
  return {
    ...(args.length === 0 ? {} : { args }),
    ...(inputFile === "" ? {} : { inputFile }),
    ...(outputFile === "" ? {} : { outputFile }),
    ...(entry === "" ? {} : { entry }),
  };
}

/**
 * The options of a job as the fields say them.
 * @throws FailureError `malformed` with a sentence that names the field.
 */
export function optionsOf(settings: JobSettings, measured: Measured | undefined): JobOptions {
  const memory = numberIn(settings.memory, { name: "Memory", least: 1, most: 1_024, whole: true });
  const deadline = numberIn(settings.deadline, { name: "Longest time", least: 1, most: 3_600 });
  const parallel = numberIn(settings.parallel, { name: "Tabs at a time", least: 1, most: 64, whole: true });
  const replicas = numberIn(settings.replicas, {
    name: "Tabs for each input",
    least: 1,
    most: 5,
    whole: true,
  });
  const cap = numberIn(settings.cap, { name: "Most that is spent", least: 0.000001, most: 1_000_000_000 });
  return {
    ...programOf(settings),
    fuel: fuelLimitOf(settings, measured),
    accept: settings.accept,
    disclosure: settings.disclosure,
    ...(memory === undefined ? {} : { memoryBytes: memory * MIB }),
    ...(deadline === undefined ? {} : { deadlineMs: Math.round(deadline * 1_000) }),
    ...(parallel === undefined ? {} : { parallel }),
    ...(replicas === undefined ? {} : { replicas }),
    ...(cap === undefined ? {} : { cap: BigInt(Math.round(cap * MICROS)) }),
  };
}
