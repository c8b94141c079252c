import type {
  Box,
  DrawnEdge,
  DrawnFrame,
  DrawnNode,
  Drawing,
  LayoutOptions,
  Point,
} from "../../plan/layout.ts";
import { layoutPlan } from "../../plan/layout.ts";
import { graphsOf } from "../../plan/node-parts.ts";
import type { Plan } from "../../plan/plan.ts";
import { printable } from "../chat/printable.ts";
import { roleOf, whatText, whereText } from "./node-words.ts";

/** Draws a plan as a picture that stands alone: no fonts, scripts or images from elsewhere, light or dark as its reader. */

/** Lengths in pixels. */
const SIZES: LayoutOptions = {
  node: { width: 232, height: 66 },
  head: 50,
  end: { width: 132, height: 30 },
  gap: { across: 28, down: 44 },
  padding: 14,
  label: 20,
};
const MARGIN = 28;
const HEADING = 58;
const RADIUS = 10;
const BEND = 8;

/** The colours of the app (src/app/styles/tokens.css). */
const STYLE = `
  :root { color-scheme: light dark; --page: #f6f4ee; --card: #fffefb; --frame: #efece3; --ink: #17211d; --soft: #56625c;
    --line: #b9b4a4; --peer: #0b6b54; --here: #7a5a06; --order: #56625c; }
  @media (prefers-color-scheme: dark) { :root { --page: #121916; --card: #19221e; --frame: #0e1411; --ink: #e9eeea;
    --soft: #a3b0a9; --line: #47564e; --peer: #58cfa8; --here: #e0bd62; --order: #a3b0a9; } }
  text { font-family: Inter, "Segoe UI", Cantarell, Ubuntu, "Noto Sans", Roboto, "Liberation Sans", system-ui, sans-serif;
    fill: var(--ink); font-size: 13px; }
  .page { fill: var(--page); } .box { fill: var(--card); stroke: var(--line); }
  .frame { fill: var(--frame); stroke: var(--line); stroke-dasharray: 4 4; }
  .peer { fill: var(--peer); } .here { fill: var(--here); } .order { fill: var(--order); }
  .title { font-weight: 650; } .soft { fill: var(--soft); font-size: 11.5px; } .plan { font-size: 19px; font-weight: 700; }
  .end { fill: var(--page); stroke: var(--line); } .name { font-size: 12px; text-anchor: middle; }
  .edge { fill: none; stroke: var(--soft); stroke-width: 1.4; } .wait { stroke-dasharray: 2 4; }
  .slot { font-size: 10.5px; fill: var(--soft); paint-order: stroke; stroke: var(--page); stroke-width: 4px; }
  .head { fill: var(--soft); }`;

/** Average width of a letter in the fonts above, pixels for each pixel of size: a picture cannot measure. */
const LETTER = 0.535;

/** XML has no control characters. */
function escaped(text: string): string {
  return printable(text)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

function fitting(text: string, width: number, size: number): string {
  const most = Math.floor(width / (size * LETTER));
  const letters = Array.from(text);
  return escaped(
    letters.length <= most
      ? text
      : `${letters
          .slice(0, Math.max(1, most - 1))
          .join("")
          .trimEnd()}…`,
  );
}

function at({ x, y, width, height }: Box): string {
  return `x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}"`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** A way of straight lines whose corners are rounded. */
function wayOf(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (first === undefined) return "";
  let way = `M${round(first.x)} ${round(first.y)}`;
  let before = first;
  for (const [index, point] of rest.entries()) {
    const next = rest[index + 1];
    if (next === undefined) {
      const half = (before.y + point.y) / 2;
      // Down at both ends, whatever lies between.
      way += ` C${round(before.x)} ${round(half)} ${round(point.x)} ${round(half)} ${round(point.x)} ${round(point.y)}`;
    } else {
      const half = (before.y + point.y) / 2;
      way += ` C${round(before.x)} ${round(half)} ${round(point.x)} ${round(half)} ${round(point.x)} ${round(point.y - BEND)}`;
      way += ` L${round(point.x)} ${round(point.y)}`;
    }
    before = point;
  }
  return way;
}

function edgeSvg({ points, isOrder }: DrawnEdge): string {
  return `<path class="edge${isOrder ? " wait" : ""}" d="${wayOf(points)}" marker-end="url(#to)"/>`;
}

/** Told where there are several to tell apart, or where the name says more than that it goes in. */
function slotSvg(edge: DrawnEdge): string {
  const names = edge.slots.map((slot) => slot.replace(/^with\./u, "")).filter((slot) => slot !== edge.param);
  const end = edge.points.at(-1);
  const isPlain = names.every((name) =>
    ["input", "over", "request", "task", "value", "result"].includes(name),
  );
  if (end === undefined || isPlain || names.some((name) => name === edge.from)) return "";
  return `<text class="slot" x="${round(end.x + 6)}" y="${round(end.y - 8)}">${fitting(names.join(", "), 130, 10.5)}</text>`;
}

function nodeSvg({ id, node, ...box }: DrawnNode): string {
  const { x, y, width } = box;
  const room = width - 30;
  const where = whereText(node);
  const isFrame = graphsOf(node).length > 0;
  const lines = isFrame
    ? [whatText(node)]
    : [whatText(node), where === "" ? (roleOf(node) === "here" ? "by whoever coordinates" : "") : where];
  const tip = [id, whatText(node), where].filter((line) => line !== "").join("\n");
  const name = node.title ?? id;
  return [
    `<g><title>${escaped(tip)}</title>`,
    `<rect class="box" ${at(box)} rx="${RADIUS}"/>`,
    `<rect class="${roleOf(node)}" x="${round(x + 1)}" y="${round(y + RADIUS)}" width="4" height="${round(
      (isFrame ? SIZES.head : box.height) - 2 * RADIUS,
    )}" rx="2"/>`,
    `<text class="title" x="${round(x + 16)}" y="${round(y + 21)}">${fitting(name, room, 14)}</text>`,
    ...lines.map(
      (line, index) =>
        `<text class="soft" x="${round(x + 16)}" y="${round(y + 38 + 15 * index)}">${fitting(line, room, 11.5)}</text>`,
    ),
    "</g>",
  ].join("");
}

const ROLES: Readonly<Record<string, string>> = {
  then: "if so",
  otherwise: "otherwise",
  fallback: "if it fails",
};

function frameSvg(frame: DrawnFrame): string {
  const number = /^of\.(\d+)$/u.exec(frame.role)?.[1];
  const name = number === undefined ? ROLES[frame.role] : `alternative ${Number(number) + 1}`;
  const label =
    name === undefined
      ? ""
      : `<text class="soft" x="${round(frame.x + 12)}" y="${round(frame.y + 17)}">${escaped(name)}</text>`;
  return `<rect class="frame" ${at(frame)} rx="${RADIUS - 2}"/>${label}`;
}

function endSvg({ name, x, y, width, height }: Drawing["ends"][number]): string {
  return (
    `<rect class="end" ${at({ x, y, width, height })} rx="${height / 2}"/>` +
    `<text class="name" x="${round(x + width / 2)}" y="${round(y + height / 2 + 4)}">${fitting(name, width - 16, 12)}</text>`
  );
}

/** Frames lie on the node they are in, and nodes on the frame they are in. */
function layersOf({ nodes, frames }: Drawing): readonly string[] {
  const deepest = Math.max(0, ...nodes.map(({ depth }) => depth));
  return Array.from({ length: deepest + 1 }, (_, depth) => [
    ...nodes.filter((node) => node.depth === depth).map(nodeSvg),
    ...frames.filter((frame) => frame.depth === depth).map(frameSvg),
  ]).flat();
}

/** @param note a line below the plan's name. */
export function planSvg(plan: Plan, note: string): string {
  const drawing = layoutPlan(plan, SIZES);
  const width = Math.ceil(Math.max(drawing.width, 320) + 2 * MARGIN);
  const height = Math.ceil(drawing.height + 2 * MARGIN + HEADING);
  const inset = MARGIN + Math.max(0, (320 - drawing.width) / 2);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(`Plan ${plan.name}`)}">`,
    `<style>${STYLE}\n</style>`,
    '<defs><marker id="to" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="head" d="M0 0 8 4 0 8Z"/></marker></defs>',
    `<rect class="page" width="${width}" height="${height}"/>`,
    `<text class="plan" x="${MARGIN}" y="${MARGIN + 18}">${fitting(plan.name, width - 2 * MARGIN, 20)}</text>`,
    `<text class="soft" x="${MARGIN}" y="${MARGIN + 38}">${fitting(note, width - 2 * MARGIN, 11.5)}</text>`,
    `<g transform="translate(${round(inset)} ${MARGIN + HEADING})">`,
    ...layersOf(drawing),
    ...drawing.edges.map(edgeSvg),
    ...drawing.ends.map(endSvg),
    ...drawing.edges.map(slotSvg),
    "</g></svg>\n",
  ].join("\n");
}
