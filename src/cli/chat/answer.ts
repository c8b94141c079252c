import type {
  GenerateRequest,
  GenerationResult,
  JobProgress,
  ModelJobOptions,
  Tabmesh,
} from "../../sdk/index.ts";
import { listenForInterrupts } from "../interrupts.ts";
import type { Screen } from "../progress/live-block.ts";
import { countText, creditsText, creditUnit } from "../quantities.ts";
import { writeAll } from "../write-all.ts";
import { printable } from "./printable.ts";

/** What became of one question. */
export type Answer =
  | { readonly kind: "answered"; readonly result: GenerationResult }
  /** Ended by the person. `text` is what was told until then. */
  | { readonly kind: "cancelled"; readonly text: string };

export interface AnswerPorts {
  readonly tabmesh: Pick<Tabmesh, "generate" | "relay">;
  readonly model: string;
  readonly options: ModelJobOptions;
  /** Where the text goes, piece by piece; nowhere when absent. */
  readonly out?: NodeJS.WriteStream;
  /** Where the wait is shown; nowhere when absent. */
  readonly screen?: Screen;
}

const WAITS: Readonly<Partial<Record<JobProgress["state"], string>>> = {
  submitting: "asking the relay",
  "finding-providers": "looking for a provider",
  connecting: "connecting",
  running: "the provider begins",
};

/** One line that is there until the first word is. */
class WaitLine {
  readonly #screen: Screen | undefined;
  #shown = "";
  #over = false;

  constructor(screen: Screen | undefined) {
    this.#screen = screen;
  }

  update({ state, note }: JobProgress): void {
    const text = note ?? WAITS[state];
    if (this.#over || text === undefined || text === this.#shown || this.#screen === undefined) return;
    this.#shown = text;
    if (this.#screen.isTTY) this.#screen.write(`\r\u001b[K… ${printable(text)}`);
  }

  end(): void {
    if (!this.#over && this.#shown !== "" && this.#screen?.isTTY === true) this.#screen.write("\r\u001b[K");
    this.#over = true;
  }
}

/** Asks and prints as it comes. The first Ctrl-C ends the answer, the second the program. */
export async function ask(request: GenerateRequest, ports: AnswerPorts): Promise<Answer> {
  const { tabmesh, model, options, out, screen } = ports;
  const wait = new WaitLine(screen);
  const interrupts = listenForInterrupts(() => wait.end());
  let text = "";
  try {
    const generation = tabmesh.generate(model, request, {
      ...options,
      signal: interrupts.signal,
      onProgress: (progress) => wait.update(progress),
    });
    for await (const piece of generation) {
      if (piece.text !== "") wait.end();
      text += piece.text;
      if (out !== undefined) await writeAll(out, out.isTTY ? printable(piece.text) : piece.text);
    }
    return { kind: "answered", result: await generation.result };
  } catch (error) {
    if (!interrupts.signal.aborted) throw error;
    return { kind: "cancelled", text };
  } finally {
    wait.end();
    interrupts.release();
  }
}

/** One line about an answer: what it took. */
export function answerLine(result: GenerationResult, tabmesh: Pick<Tabmesh, "relay">): string {
  const { promptTokens, completionTokens, end, providers, summary } = result;
  const unit = creditUnit(tabmesh.relay.testMoney);
  const words = [
    `${countText(completionTokens, "token")} after ${promptTokens}`,
    ...(end === "length" ? ["cut at its length"] : []),
    `${creditsText(summary.spent)} ${unit}`,
    ...(providers.length > 1 ? [`${providers.length} providers`] : []),
    summary.leases.every(
      ({ tasks, receiptVerified, inclusionVerified }) =>
        tasks === 0 || (receiptVerified && inclusionVerified),
    )
      ? "receipt verified"
      : "receipt not verified yet",
  ];
  return words.join(" · ");
}
