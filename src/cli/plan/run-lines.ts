import { bytesText, countText, creditsText, creditUnit, durationText, fuelText } from "../quantities.ts";
import { roleOf, tail } from "./node-words.ts";
import type { NodeTally } from "./run-tally.ts";

/** A run as lines of a terminal, one for each node. */

/** Names take no more, so that there is room for what they did. */
const WIDEST_NAME = 30;
/** Peers that are named; of more, their number. */
const NAMED_PEERS = 2;

export interface Money {
  readonly testMoney: boolean;
  /** Nobody is paid. */
  readonly isFree: boolean;
}

function markOf({ running, done, failed, skipped }: NodeTally): string {
  if (running > 0) return "▸";
  if (failed > 0) return "✗";
  if (done > 0) return "✓";
  return skipped > 0 ? "–" : "·";
}

export function nameOf({ id, node }: Pick<NodeTally, "id" | "node">): string {
  return node.title ?? id;
}

/** How many of its iterations stand how: nothing for a node that has run once. */
function countsText({ running, done, failed, skipped, again }: NodeTally): string {
  const isOne = running + done + failed + skipped <= 1;
  const parts = [
    ...(running > 0 ? [isOne ? "running" : `${running} running`] : []),
    ...(done > 0 && !isOne ? [`${done} done`] : []),
    ...(failed > 0 ? [isOne ? "failed" : `${failed} failed`] : []),
    ...(skipped > 0 ? [isOne ? "skipped" : `${skipped} skipped`] : []),
    ...(again > 0 ? [`${again} given again`] : []),
  ];
  return parts.join(", ");
}

/** Steps are short: below a second in milliseconds. */
export function timeText(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : durationText(ms);
}

function peersText({ node, peers }: NodeTally): string {
  if (roleOf(node) !== "peer" || peers.length === 0) return "";
  return peers.length > NAMED_PEERS ? countText(peers.length, "peer") : peers.map(tail).join(", ");
}

function workText(tally: NodeTally, { testMoney, isFree }: Money): string {
  const { node, inputBytes, outputBytes, fuel, cost, slowestMs } = tally;
  if (roleOf(node) !== "peer" || tally.done + tally.failed === 0) return "";
  return [
    `${bytesText(inputBytes)} → ${bytesText(outputBytes)}`,
    ...(fuel > 0n ? [fuelText(fuel)] : []),
    ...(isFree || cost === 0n ? [] : [`${creditsText(cost)} ${creditUnit(testMoney)}`]),
    timeText(slowestMs),
  ].join(" · ");
}

function nodeLine(tally: NodeTally, width: number, money: Money): string {
  const indent = "  ".repeat(tally.depth);
  const letters = Array.from(nameOf(tally));
  const room = Math.max(4, width - indent.length);
  const name = letters.length > room ? `${letters.slice(0, room - 1).join("")}…` : letters.join("");
  const told = [countsText(tally), peersText(tally), workText(tally, money)].filter((part) => part !== "");
  return `${indent}${markOf(tally)} ${name.padEnd(room)}  ${told.join(" · ")}`.trimEnd();
}

export function nameWidth(nodes: readonly Pick<NodeTally, "id" | "node" | "depth">[]): number {
  return Math.min(WIDEST_NAME, Math.max(...nodes.map((node) => 2 * node.depth + nameOf(node).length), 8));
}

/** Whether a person watching wants to see it now rather than later. */
function isNews({ running, failed }: NodeTally): boolean {
  return running > 0 || failed > 0;
}

/**
 * All nodes, or, where there are more than lines, those under way and failed before the others.
 * @param columns of the terminal; lines are cut there
 */
export function runLines(
  nodes: readonly NodeTally[],
  { columns, most, money }: { readonly columns: number; readonly most: number; readonly money: Money },
): readonly string[] {
  let shown = nodes;
  if (nodes.length > most) {
    const first = new Set(
      [...nodes.filter(isNews), ...nodes.filter((node) => !isNews(node))].slice(0, most - 1),
    );
    shown = nodes.filter((node) => first.has(node));
  }
  const width = nameWidth(nodes);
  const lines = shown.map((node) => nodeLine(node, width, money));
  const hidden = nodes.length - shown.length;
  if (hidden > 0) lines.push(`  and ${countText(hidden, "other node")}`);
  return lines.map((line) =>
    Array.from(line)
      .slice(0, columns - 1)
      .join(""),
  );
}

/** A node that has come to something, as a line of a log. */
export function plainNodeLine(tally: NodeTally, money: Money): string {
  const told = [peersText(tally), workText(tally, money)].filter((part) => part !== "");
  const { done, failed, skipped } = tally;
  const isOne = done + failed + skipped === 1;
  const how = isOne && done === 1 ? "done" : countsText(tally);
  return `${"  ".repeat(tally.depth)}${nameOf(tally)}: ${[how, ...told].filter((part) => part !== "").join(" · ")}`;
}
