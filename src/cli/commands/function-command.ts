import { readFile, writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { ACCEPTED_PROFILES } from "../../relay/jobs/check-job.ts";
import type { Inspection } from "../../relay/threads/function-file.ts";
import { inspectionText } from "../local/inspection-text.ts";
import { EXIT, type Exit, usageError } from "../plain-error.ts";
import { requireWritable } from "../precious.ts";
import { bytesText, parseFuel } from "../quantities.ts";
import { writeAll } from "../write-all.ts";
import { sha256Hex } from "./map-inputs.ts";

/** The sandbox's code is loaded by the commands that need it. */

const PROFILE = ACCEPTED_PROFILES[0] ?? 0;
const STANDARD_OUTPUT = "-";
const MAGIC = Buffer.from("\0asm");
const FUEL_EXPORT = "tabmesh:fuel";

interface InspectFlags {
  readonly entry?: string;
  readonly json?: boolean;
}

function inspectionJson(inspection: Inspection): Readonly<Record<string, unknown>> {
  const { cid, bytes, kind, verdict, reasons, outline, imports, interfaces, meteredBytes } = inspection;
  const { exports, memories, tables, features, isComplete, ...counts } = outline;
  return {
    ok: verdict === "accepted",
    verdict,
    reasons,
    profile: PROFILE,
    kind,
    cid,
    bytes,
    meteredBytes: meteredBytes ?? null,
    ...counts,
    memories,
    tables,
    features,
    imports,
    exports,
    abis: interfaces.filter(({ fits }) => fits).map(({ abi }) => abi),
    interfaces,
    isComplete,
  };
}

async function inspect(file: string, { entry, json }: InspectFlags): Promise<Exit> {
  const { inspectModule } = await import("../../relay/threads/function-file.ts");
  const inspection = await inspectModule(new Uint8Array(await readFile(file)), entry);
  const text =
    json === true
      ? `${JSON.stringify(inspectionJson(inspection))}\n`
      : inspectionText(file, inspection, PROFILE);
  await writeAll(process.stdout, text);
  return inspection.verdict === "accepted" ? EXIT.ok : EXIT.failed;
}

interface MeterFlags {
  readonly out: string;
  readonly fuel?: bigint;
  readonly force?: boolean;
  readonly json?: boolean;
}

function isMetered(bytes: Buffer): boolean {
  return bytes.subarray(0, MAGIC.length).equals(MAGIC) && bytes.includes(FUEL_EXPORT);
}

async function meter(file: string, { out, fuel, force, json }: MeterFlags): Promise<Exit> {
  const { MOST_FUEL, rewriteFunction } = await import("../../relay/threads/function-file.ts");
  const isPiped = out === STANDARD_OUTPUT;
  if (fuel !== undefined && fuel > MOST_FUEL)
    throw usageError(`--fuel takes at most ${MOST_FUEL}, which is 2^62.`);
  if (!isPiped && force !== true) await requireWritable(out, isMetered, "a metered module");
  const module = new Uint8Array(await readFile(file));
  const { bytes, codeBefore, codeAfter } = rewriteFunction(module, fuel ?? MOST_FUEL);
  if (isPiped) await writeAll(process.stdout, bytes);
  else await writeFile(out, bytes);
  const growth = bytes.length / Math.max(1, module.length) - 1;
  const told = {
    ok: true,
    out,
    profile: PROFILE,
    fuel: (fuel ?? MOST_FUEL).toString(),
    bytesBefore: module.length,
    bytesAfter: bytes.length,
    growth,
    codeBytesBefore: codeBefore,
    codeBytesAfter: codeAfter,
    codeGrowth: codeAfter / Math.max(1, codeBefore) - 1,
    sha256: sha256Hex(bytes),
  };
  // Standard output belongs to the module where no file does.
  const stream = isPiped ? process.stderr : process.stdout;
  const percent = `${growth >= 0 ? "+" : ""}${Math.round(growth * 100)} %`;
  const text = `${isPiped ? file : out}: ${bytesText(module.length)} became ${bytesText(bytes.length)} (${percent}).`;
  await writeAll(stream, `${json === true ? JSON.stringify(told) : text}\n`);
  return EXIT.ok;
}

export function addFunctionCommand(program: Command, end: (exit: Exit) => void): void {
  const group = program
    .command("function")
    .description("look at a function's file, or rewrite it so that it counts its fuel")
    .addHelpText(
      "after",
      "\nExamples:\n  npx tabmesh function inspect count.wasm\n  npx tabmesh function meter count.wasm -o metered.wasm",
    );
  group
    .command("inspect")
    .description(
      "say what a function imports, exports and uses, and whether it is accepted: every reason if not",
    )
    .argument("<file>", "WASM module")
    .option("--entry <export>", "exported function that a job would call")
    .option("--json", "print the result as JSON, one line")
    .addHelpText(
      "after",
      "\nExample:\n  npx tabmesh function inspect --json count.wasm\n\nEnds with 0 when it is accepted, with 1 when it is refused.",
    )
    .action(async (file: string, flags: InspectFlags) => end(await inspect(file, flags)));
  group
    .command("meter")
    .description("write the function rewritten so that it counts its own fuel, for any engine")
    .argument("<file>", "WASM module")
    .requiredOption("-o, --out <file>", 'where it goes; "-" is standard output')
    .option("--fuel <n>", "fuel to start with, such as 500M or 20G; 2^62 if absent", parseFuel)
    .option("--force", "write over any file, not only a metered module")
    .option("--json", "print sizes and growth as JSON")
    .addHelpText(
      "after",
      "\nExample:\n  npx tabmesh function meter count.wasm -o metered.wasm --fuel 20G\n\n" +
        'The exported mutable i64 global "tabmesh:fuel" holds what is left, and may be set before each call; 0 or below\n' +
        "means out of fuel. Everything else behaves as before. Instructions and structure are judged, imports are not:\n" +
        "see `function inspect` for those.",
    )
    .action(async (file: string, flags: MeterFlags) => end(await meter(file, flags)));
}
