import { writeFile } from "node:fs/promises";
import { text as textOf } from "node:stream/consumers";
import type { Command } from "commander";
import type {
  ChatMessage,
  GenerateRequest,
  GenerationResult,
  ModelJobOptions,
  Tabmesh,
} from "../../sdk/index.ts";
import { answerLine, type AnswerPorts, ask } from "../chat/answer.ts";
import { converse } from "../chat/conversation.ts";
import { addRelayFlags, type RelayFlags } from "../job-flags.ts";
import { pickModel } from "../pick-model.ts";
import { EXIT, type Exit, usageError } from "../plain-error.ts";
import { parseCredits, parseDurationMs } from "../quantities.ts";
import { connectAs } from "../requester.ts";
import { addSamplingFlags, type SamplingFlags, samplingOf } from "../sampling-flags.ts";
import { summaryJson } from "../summary.ts";
import { writeAll } from "../write-all.ts";

interface ChatFlags extends RelayFlags, SamplingFlags {
  readonly model?: string;
  readonly prompt?: string;
  readonly system?: string;
  readonly raw?: boolean;
  readonly cap?: bigint;
  readonly wait?: number;
  readonly saveTranscript?: string;
  readonly quiet?: boolean;
  readonly yes?: boolean;
}

async function chat(flags: ChatFlags): Promise<Exit> {
  const isConversation = flags.prompt === undefined && process.stdin.isTTY && process.stdout.isTTY;
  if (isConversation && flags.json === true)
    throw usageError("--json answers one question.", "Add --prompt.");
  if (flags.raw === true && flags.system !== undefined)
    throw usageError("--system belongs to a conversation; --raw goes on with a text as it is.");
  const prompt = isConversation ? undefined : (flags.prompt ?? (await textOf(process.stdin)));
  if (prompt?.trim() === "")
    throw usageError("There is nothing to answer.", "Add --prompt, or write it on standard input.");
  const tabmesh = await connectAs(flags);
  try {
    const model = await pickModel(tabmesh, "generate", flags);
    return await (prompt === undefined
      ? talk(tabmesh, model, flags)
      : answerOnce(tabmesh, model, prompt, flags));
  } finally {
    await tabmesh.close();
  }
}

function optionsOf({ cap, wait }: ChatFlags): ModelJobOptions {
  return {
    ...(cap === undefined ? {} : { cap }),
    ...(wait === undefined ? {} : { noProviderTimeoutMs: wait }),
  };
}

/** Writes what anybody needs to recompute the newest answer. */
async function keepTranscript({ transcript }: GenerationResult, path: string | undefined): Promise<void> {
  if (path === undefined) return;
  const { transcriptToJson } = await import("../../relay/models/generate-text.ts");
  await writeFile(path, `${JSON.stringify(transcriptToJson(transcript))}\n`);
}

function talk(tabmesh: Tabmesh, model: string, flags: ChatFlags): Promise<Exit> {
  if (flags.raw === true) throw usageError("--raw goes on with one text.", "Add --prompt.");
  return converse({
    tabmesh,
    model,
    options: optionsOf(flags),
    sampling: samplingOf(flags),
    system: flags.system,
    input: process.stdin,
    out: process.stdout,
    screen: process.stderr,
    onAnswer: (result) => keepTranscript(result, flags.saveTranscript),
  });
}

function requestOf(prompt: string, { raw, system, ...flags }: ChatFlags): GenerateRequest {
  const sampling = samplingOf(flags);
  if (raw === true) return { ...sampling, text: prompt };
  const opening: readonly ChatMessage[] = system === undefined ? [] : [{ role: "system", content: system }];
  return { ...sampling, messages: [...opening, { role: "user", content: prompt }] };
}

async function answerOnce(tabmesh: Tabmesh, model: string, prompt: string, flags: ChatFlags): Promise<Exit> {
  const { json, quiet } = flags;
  const ports: AnswerPorts = {
    tabmesh,
    model,
    options: optionsOf(flags),
    ...(json === true ? {} : { out: process.stdout }),
    ...(json === true || quiet === true ? {} : { screen: process.stderr }),
  };
  const answer = await ask(requestOf(prompt, flags), ports);
  if (answer.kind === "cancelled") {
    await writeAll(
      process.stdout,
      json === true ? `${JSON.stringify({ ok: false, cancelled: true, text: answer.text })}\n` : "\n",
    );
    return EXIT.interrupted;
  }
  const { result } = answer;
  await keepTranscript(result, flags.saveTranscript);
  if (json === true) await writeAll(process.stdout, `${JSON.stringify(await resultJson(result))}\n`);
  else if (!result.text.endsWith("\n")) await writeAll(process.stdout, "\n");
  if (json !== true && quiet !== true) await writeAll(process.stderr, `${answerLine(result, tabmesh)}\n`);
  return EXIT.ok;
}

async function resultJson(result: GenerationResult): Promise<Readonly<Record<string, unknown>>> {
  const { text, end, promptTokens, completionTokens, transcript, providers, summary } = result;
  const { transcriptToJson } = await import("../../relay/models/generate-text.ts");
  return {
    ok: true,
    model: transcript.model,
    text,
    end,
    usage: { promptTokens, completionTokens },
    providers,
    ...summaryJson(summary),
    transcript: transcriptToJson(transcript),
  };
}

export function addChatCommand(program: Command, end: (exit: Exit) => void): void {
  const command = program
    .command("chat")
    .description("talk with a model that browser tabs run, or let it answer once")
    .option("-m, --model <name>", "name or CID; the only one that writes text if absent")
    .option("-p, --prompt <text>", "answer this and end; standard input where that is no terminal")
    .option("--system <text>", "what the model is told beforehand")
    .option("--raw", "go on with the prompt as it is, without the form of a conversation");
  addRelayFlags(addSamplingFlags(command, 512))
    .option("--cap <credits>", "the most an answer may cost", parseCredits)
    .option("--wait <time>", "how long to wait when there is no provider", parseDurationMs)
    .option("--save-transcript <file>", "write what proves the newest answer")
    .option("-q, --quiet", "print the answer only")
    .option("--yes", "you know that providers can read inputs")
    .addHelpText(
      "after",
      "\nExamples:\n  npx tabmesh chat --model smollm2\n" +
        '  npx tabmesh chat --model stories --raw --prompt "Once upon a time" --save-transcript t.json\n' +
        "  npx tabmesh model verify t.json --model stories.tmm\n\n" +
        "What is shown is signed for by who wrote it. When a provider leaves, another one goes on behind the last word,\n" +
        "with the same words. Ctrl-C ends the answer, then the conversation. Providers can read what you write.",
    )
    .action(async (flags: ChatFlags) => end(await chat(flags)));
}
