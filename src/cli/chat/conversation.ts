import { createInterface } from "node:readline/promises";
import type { ChatMessage, GenerateRequest, GenerationResult } from "../../sdk/index.ts";
import { explain, explanationText } from "../explain.ts";
import { EXIT, type Exit } from "../plain-error.ts";
import { answerLine, type AnswerPorts, ask } from "./answer.ts";

export interface ConversationOptions extends AnswerPorts {
  readonly sampling: Omit<GenerateRequest, "text" | "messages">;
  readonly system: string | undefined;
  readonly input: NodeJS.ReadStream;
  readonly out: NodeJS.WriteStream;
  readonly screen: NodeJS.WriteStream;
  /** Told after each answer. */
  readonly onAnswer: (result: GenerationResult) => Promise<void>;
}

const PROMPT = "> ";

/** One line from the person; nothing when they leave, by Ctrl-C or Ctrl-D. @param before lines typed so far, newest first */
async function readLine(
  { input, screen }: Pick<ConversationOptions, "input" | "screen">,
  before: readonly string[],
): Promise<string | undefined> {
  // One for each line: while an answer comes, Ctrl-C is a signal again.
  const dialogue = createInterface({ input, output: screen, history: [...before], terminal: screen.isTTY });
  const left = new AbortController();
  dialogue.once("SIGINT", () => left.abort());
  dialogue.once("close", () => left.abort());
  try {
    return await dialogue.question(PROMPT, { signal: left.signal });
  } catch (error) {
    if (!left.signal.aborted) throw error;
    screen.write("\n");
    return undefined;
  } finally {
    dialogue.close();
  }
}

/** A conversation on a terminal, until the person leaves. What was said is sent along each time. */
export async function converse(options: ConversationOptions): Promise<Exit> {
  const { screen, system, sampling } = options;
  const opening: readonly ChatMessage[] = system === undefined ? [] : [{ role: "system", content: system }];
  let messages = opening;
  const typed: string[] = [];
  screen.write("Ctrl-C ends an answer, then the conversation. /new begins another one, /exit leaves.\n");
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const line = (await readLine(options, typed))?.trim();
    if (line === undefined || line === "/exit") return EXIT.ok;
    if (line === "") continue;
    typed.unshift(line);
    if (line === "/new") {
      messages = opening;
      screen.write("A new conversation.\n");
      continue;
    }
    const asked: readonly ChatMessage[] = [...messages, { role: "user", content: line }];
    // oxlint-disable-next-line no-await-in-loop
    const said = await answerTo({ ...sampling, messages: asked }, options);
    if (said !== undefined) messages = [...asked, { role: "assistant", content: said }];
  }
}

/** @returns what was said; nothing where it failed, and the question is as if it had not been asked */
async function answerTo(request: GenerateRequest, options: ConversationOptions): Promise<string | undefined> {
  const { out, screen, tabmesh, onAnswer } = options;
  try {
    const answer = await ask(request, options);
    out.write("\n");
    if (answer.kind === "cancelled") {
      screen.write("(ended)\n");
      return answer.text === "" ? undefined : answer.text;
    }
    const { result } = answer;
    screen.write(`${result.text.endsWith("\n") ? "" : "\n"}(${answerLine(result, tabmesh)})\n`);
    await onAnswer(result);
    return result.text;
  } catch (error) {
    screen.write(`\n${explanationText(explain(error))}`);
    return undefined;
  }
}
