import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { DEFAULT_AUDIT_POLICY } from "../protocol/audit-policy.ts";
import { FUNCTION_ABIS, type FunctionAbi } from "../protocol/messages/session.ts";
import type { JobOptions } from "../sdk/index.ts";
import { usageError } from "./plain-error.ts";
import {
  parseBytes,
  parseCount,
  parseCredits,
  parseDurationMs,
  parseFuel,
  parseHex,
  parsePair,
} from "./quantities.ts";

/** Flags that several commands have in common. */

export const DEFAULT_RELAY = "http://localhost:8787";

export interface RelayFlags {
  /** Origin of the relay. */
  readonly relay: string;
  readonly json?: boolean;
}

/** @throws Error of commander when it is no URL. */
export function parseRelay(text: string): string {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:"))
    throw usageError(
      `--relay takes an http or https URL, not ${text}.`,
      `For example --relay ${DEFAULT_RELAY}`,
    );
  return url.origin;
}

export function relayOption(): Option {
  return new Option("--relay <url>", "relay to work with")
    .env("TABMESH_RELAY")
    .default(DEFAULT_RELAY)
    .argParser(parseRelay);
}

export function addRelayFlags(command: Command): Command {
  return command.addOption(relayOption()).option("--json", "print the result as JSON");
}

export interface JobFlags extends RelayFlags {
  readonly cap?: bigint;
  readonly fuel?: bigint;
  readonly memory?: number;
  readonly outputLimit?: number;
  readonly deadline?: number;
  readonly parallel?: number;
  readonly wait?: number;
  readonly accept?: "signed" | "audited";
  readonly replicas?: number;
  readonly disclosure?: "relay" | "peers";
  readonly quiet?: boolean;
  readonly yes?: boolean;
}

/** @throws InvalidArgumentError beyond what relays take. */
function parseReplicas(text: string): number {
  const replicas = parseCount(text);
  const { maxReplicas } = DEFAULT_AUDIT_POLICY;
  if (replicas > maxReplicas)
    throw new InvalidArgumentError(`It takes a whole number from 1 to ${maxReplicas}.`);
  return replicas;
}

export function addJobFlags(command: Command): Command {
  return addRelayFlags(command)
    .option("--cap <credits>", "the most the job may cost", parseCredits)
    .option("--fuel <n>", "most fuel of one task, such as 500M or 20G", parseFuel)
    .option("--memory <size>", "linear memory of one task, such as 64MiB", parseBytes)
    .option("--output-limit <size>", "most output of one task", parseBytes)
    .option("--deadline <time>", "longest time of one task, such as 30s", parseDurationMs)
    .option("--parallel <n>", "providers at a time", parseCount)
    .option("--wait <time>", "how long to wait when there is no provider", parseDurationMs)
    .addOption(
      new Option(
        "--accept <when>",
        "when results count: signed by their provider, or audited by the relay too; void work is then done again",
      ).choices(["signed", "audited"]),
    )
    .option(
      "--replicas <k>",
      "providers of distinct owners that compute each task; results count when they agree, at k times the price",
      parseReplicas,
    )
    .addOption(
      new Option(
        "--disclosure <who>",
        "who may see inputs when a result is checked, besides its provider: the relay alone, or other providers too",
      ).choices(["relay", "peers"]),
    )
    .option("--quiet", "show no progress")
    .option("--yes", "you know that providers can read inputs");
}

/** What the common flags say of a job. */
export function limitsOf(flags: JobFlags): JobOptions {
  const { cap, fuel, memory, outputLimit, deadline, parallel, wait, accept, replicas, disclosure } = flags;
  return {
    ...(cap === undefined ? {} : { cap }),
    ...(fuel === undefined ? {} : { fuel }),
    ...(memory === undefined ? {} : { memoryBytes: memory }),
    ...(outputLimit === undefined ? {} : { outputBytes: outputLimit }),
    ...(deadline === undefined ? {} : { deadlineMs: deadline }),
    ...(parallel === undefined ? {} : { parallel }),
    ...(wait === undefined ? {} : { noProviderTimeoutMs: wait }),
    ...(accept === undefined ? {} : { accept }),
    ...(replicas === undefined ? {} : { replicas }),
    ...(disclosure === undefined ? {} : { disclosure }),
  };
}

export interface ProgramFlags {
  readonly arg?: readonly string[];
  readonly env?: readonly (readonly [string, string])[];
  readonly file?: readonly (readonly [string, string])[];
  readonly inputFile?: string;
  readonly outputFile?: string;
  readonly entry?: string;
  readonly raw?: boolean;
  readonly abi?: FunctionAbi;
}

/** Flags of a run on this machine, without relay, identity and money. */
export interface LocalFlags {
  readonly local?: boolean;
  readonly seed?: Uint8Array;
}

export function addLocalFlags(command: Command): Command {
  return command
    .option("--local", "run it here: without relay, identity or money")
    .option("--seed <hex>", "with --local, what clock and randomness follow from; zeros if absent", parseHex);
}

/** @throws PlainError when a flag is of use to the other kind of run alone. */
export function requireLocal({ local, seed }: LocalFlags): void {
  if (seed !== undefined && local !== true)
    throw usageError("--seed goes with --local: in a job every task's seed follows from the job's nonce.");
}

function collect<T>(
  read: (text: string) => T,
): (text: string, before: readonly T[] | undefined) => readonly T[] {
  return (text, before = []) => [...before, read(text)];
}

export function addProgramFlags(command: Command): Command {
  return command
    .option("--arg <text>", 'argument of the program; "{input}" stands for the input', collect(String))
    .option("--env <name=value>", "environment variable of the program", collect(parsePair))
    .option(
      "--file <path=local>",
      "file or folder that the program finds at /path; the whole root with /=",
      collect(parsePair),
    )
    .option("--input-file <path>", "the input appears as this file, not on standard input")
    .option("--output-file <path>", "the output is this file, not standard output")
    .option("--entry <export>", "exported function to call; of a component, name or interface#name")
    .option("--raw", "the component's function takes and returns bytes as they are, not JSON")
    .addOption(
      new Option("--abi <name>", "interface of the function; a guess if absent").choices([...FUNCTION_ABIS]),
    );
}

/** Paths in a job start at the program's root, without a slash. */
function belowRoot(path: string): string {
  return path.replace(/^\/+/u, "");
}

interface GivenFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** A file, or all that is in a folder; empty folders too, as paths that end in a slash. */
async function filesFrom(path: string, from: string): Promise<readonly GivenFile[]> {
  if (!(await stat(from)).isDirectory()) return [{ path, bytes: new Uint8Array(await readFile(from)) }];
  const below = path === "" || path.endsWith("/") ? path : `${path}/`;
  const names = (await readdir(from)).toSorted();
  const files = await Promise.all(names.map((name) => filesFrom(`${below}${name}`, join(from, name))));
  return [{ path: below === "" ? "./" : below, bytes: new Uint8Array(0) }, ...files.flat()];
}

/** What the flags say of the program; local files are read. @param more arguments after those of --arg. */
export async function programOf(flags: ProgramFlags, more: readonly string[] = []): Promise<JobOptions> {
  const { env, file = [], inputFile, outputFile, entry, raw, abi } = flags;
  const args = [...(flags.arg ?? []), ...more];
  const files = (await Promise.all(file.map(([path, from]) => filesFrom(belowRoot(path), from)))).flat();
  return {
    ...(args.length === 0 ? {} : { args }),
    ...(env === undefined ? {} : { env: Object.fromEntries(env) }),
    ...(files.length === 0 ? {} : { files }),
    ...(inputFile === undefined ? {} : { inputFile: belowRoot(inputFile) }),
    ...(outputFile === undefined ? {} : { outputFile: belowRoot(outputFile) }),
    ...(raw === true ? { entry: `raw+${entry ?? ""}` } : entry === undefined ? {} : { entry }),
    ...(abi === undefined ? {} : { abi }),
  };
}
