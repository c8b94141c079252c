import { failureKind } from "../../protocol/failure-code.ts";
import type { Plan } from "../../plan/plan.ts";
import type { RunEvent } from "../../plan/runner-ports.ts";
import { printable } from "../chat/printable.ts";
import { LiveBlock, type Screen } from "../progress/live-block.ts";
import { type Money, nameOf, plainNodeLine, runLines } from "./run-lines.ts";
import { type NodeTally, RunTally } from "./run-tally.ts";

/** A terminal is redrawn at most every 100 ms: the eye is content, and a slow terminal keeps up. */
const REDRAW_MS = 100;
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

export interface RunScreen extends Screen {
  /** Height in lines. */
  readonly rows?: number | undefined;
}

export interface RunDisplayOptions {
  readonly screen: RunScreen;
  readonly plan: Plan;
  readonly money: Money;
  readonly quiet: boolean;
}

/** Shows a run as it happens: a line for each node that is drawn anew on a terminal, lines of a log elsewhere. */
export class RunDisplay {
  readonly tally: RunTally;
  readonly #options: RunDisplayOptions;
  readonly #block: LiveBlock;
  /** Nodes whose end a log has told. */
  readonly #told = new Set<string>();
  #ended = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: RunDisplayOptions) {
    this.#options = options;
    this.tally = new RunTally(options.plan);
    this.#block = new LiveBlock(options.screen);
  }

  add(event: RunEvent): void {
    const node = this.tally.add(event);
    if (this.#options.quiet) return;
    if (event.kind === "note") this.note(event.text);
    if (event.kind === "lost" && node !== undefined) this.note(lostLine(node, event));
    if (this.#options.screen.isTTY) this.#timer ??= setTimeout(() => this.#draw(), REDRAW_MS);
    else if (event.kind === "over") this.#tellRest();
    else if (node !== undefined && node.depth === 0) this.#tell(node);
  }

  /** A line of its own, above what is drawn. */
  note(text: string): void {
    if (this.#options.quiet) return;
    const line = printable(text);
    if (!this.#options.screen.isTTY) {
      this.#options.screen.write(`${line}\n`);
      return;
    }
    this.#block.above(line);
    this.#draw();
  }

  /** Draws the last state and goes on below it. */
  end(): void {
    clearTimeout(this.#timer);
    if (this.#options.quiet || !this.#options.screen.isTTY || this.#ended) return;
    this.#ended = true;
    this.#draw();
    this.#block.end();
  }

  #draw(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { screen, money } = this.#options;
    const told = screen.columns ?? 0;
    const rows = screen.rows ?? 0;
    const lines = runLines(this.tally.nodes, {
      columns: told > 0 ? told : DEFAULT_COLUMNS,
      most: Math.max(4, (rows > 0 ? rows : DEFAULT_ROWS) - 4),
      money,
    });
    this.#block.draw(lines.map(printable));
  }

  /** In a log a node of the plan's own graph is told when it has ended. */
  #tell(node: NodeTally): void {
    if (node.running > 0 || node.done + node.failed + node.skipped === 0 || this.#told.has(node.id)) return;
    this.#told.add(node.id);
    for (const each of this.tally.withInside(node.id))
      this.#options.screen.write(`${printable(plainNodeLine(each, this.#options.money))}\n`);
  }

  #tellRest(): void {
    for (const node of this.tally.nodes) if (node.depth === 0) this.#tell(node);
  }
}

function lostLine(node: NodeTally, { code, detail, iteration }: Extract<RunEvent, { kind: "lost" }>): string {
  const which = iteration === "" ? "" : ` (${iteration})`;
  return `${nameOf(node)}${which}: ${failureKind(code).means}${detail === "" ? "" : ` ${detail}.`}`;
}
