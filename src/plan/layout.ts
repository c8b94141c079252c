import { Graph as DagreGraph, layout as dagreLayout } from "@dagrejs/dagre";
import { graphsOf, inputsOf, waitsFor } from "./node-parts.ts";
import type { Graph, NodeId, Plan, PlanNode, Source } from "./plan.ts";

/** A rectangle; lengths in the unit that sizes were given in, from the upper left corner of the whole drawing. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A node where it is drawn. One with graphs inside has its title above them. */
export interface DrawnNode extends Box {
  readonly id: NodeId;
  readonly node: PlanNode;
  /** Nodes around it; 0 in the plan's own graph. */
  readonly depth: number;
}

/** A graph inside of a node: a frame around its nodes. */
export interface DrawnFrame extends Box {
  readonly owner: NodeId;
  /** As in "graph", "then", "of.0". */
  readonly role: string;
  readonly depth: number;
}

/** Something that comes into a graph from outside, or its result. */
export interface DrawnEnd extends Box {
  readonly kind: "param" | "result";
  readonly name: string;
  /** The node and its graph that it belongs to; absent in the plan's own graph. */
  readonly owner?: NodeId;
  readonly role?: string;
}

/** From the foot of one box to the head of another, by way of points. */
export interface DrawnEdge {
  /** A node's id, or absent where it comes from an end. */
  readonly from?: NodeId;
  /** A node's id, or absent where it goes to the result. */
  readonly to?: NodeId;
  /** Parameter that it comes from. */
  readonly param?: string;
  /** Where it goes in: "input", "with.text"; several where one value goes in at several places. */
  readonly slots: readonly string[];
  /** Waits for the end alone; no value goes along it. */
  readonly isOrder: boolean;
  readonly points: readonly Point[];
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Where everything of a plan is drawn, from above to below. */
export interface Drawing {
  readonly width: number;
  readonly height: number;
  /** Outer ones before those inside of them. */
  readonly nodes: readonly DrawnNode[];
  readonly frames: readonly DrawnFrame[];
  readonly ends: readonly DrawnEnd[];
  readonly edges: readonly DrawnEdge[];
}

export interface LayoutOptions {
  /** Of a node without graphs inside, and the least of one with: its title has the height of `head`. */
  readonly node: { readonly width: number; readonly height: number };
  /** Height of the title of a node that has graphs inside. */
  readonly head: number;
  /** Of a parameter or the result. */
  readonly end: { readonly width: number; readonly height: number };
  /** Between boxes beside each other, and between rows. */
  readonly gap: { readonly across: number; readonly down: number };
  /** Around what is inside. */
  readonly padding: number;
  /** Height for the name of a part, where a node has several. */
  readonly label: number;
}

interface Sheet {
  width: number;
  height: number;
  nodes: DrawnNode[];
  frames: DrawnFrame[];
  ends: DrawnEnd[];
  edges: DrawnEdge[];
}

/** Places every node of a plan; inner graphs inside of the nodes they belong to. The same plan is always drawn the same. */
export function layoutPlan(plan: Plan, options: LayoutOptions): Drawing {
  return drawGraph(plan.graph, options, { depth: 0 });
}

interface Around {
  readonly depth: number;
  readonly owner?: NodeId;
  readonly role?: string;
}

const RESULT = "result";

function drawGraph(graph: Graph, options: LayoutOptions, around: Around): Sheet {
  const inner = new Map<NodeId, Sheet>();
  const dagre = new DagreGraph<object, Box, { points?: readonly Point[] }>();
  dagre.setGraph({ rankdir: "TB", nodesep: options.gap.across, ranksep: options.gap.down });
  for (const [id, node] of Object.entries(graph.nodes)) {
    const sheet = drawInside(id, node, options, around.depth);
    if (sheet !== undefined) inner.set(id, sheet);
    dagre.setNode(nodeKey(id), { ...sizeOf(sheet, options), x: 0, y: 0 });
  }
  const links = linksOf(graph, around.owner === undefined);
  for (const { from, to } of links.values()) {
    for (const key of [from, to]) {
      if (!dagre.hasNode(key)) dagre.setNode(key, { ...options.end, x: 0, y: 0 });
    }
    dagre.setEdge(from, to, {});
  }
  dagreLayout(dagre);
  return collect(graph, dagre, { links, inner, options, around });
}

function sizeOf(sheet: Sheet | undefined, { node }: LayoutOptions): { width: number; height: number } {
  return sheet === undefined
    ? { ...node }
    : { width: Math.max(sheet.width, node.width), height: sheet.height };
}

/** A node with graphs inside: its title, and below it the graphs beside each other. */
function drawInside(id: NodeId, node: PlanNode, options: LayoutOptions, depth: number): Sheet | undefined {
  const graphs = graphsOf(node);
  if (graphs.length === 0) return undefined;
  const { padding, head, node: least } = options;
  const label = graphs.length > 1 ? options.label : 0;
  const sheets = graphs.map(({ role, graph }) => ({
    role,
    sheet: drawGraph(graph, options, { depth: depth + 1, owner: id, role }),
  }));
  const whole: Sheet = { width: 0, height: 0, nodes: [], frames: [], ends: [], edges: [] };
  const wanted = sheets.reduce((sum, { sheet }) => sum + sheet.width + 3 * padding, padding);
  // Where the title is wider than what is inside, that is in the middle.
  let x = padding + Math.max(least.width - wanted, 0) / 2;
  for (const { role, sheet } of sheets) {
    const box = { x, y: head, width: sheet.width + 2 * padding, height: sheet.height + 2 * padding + label };
    whole.frames.push({ ...box, owner: id, role, depth });
    place(whole, sheet, { x: x + padding, y: head + padding + label });
    x += box.width + padding;
    whole.height = Math.max(whole.height, head + box.height + padding);
  }
  whole.width = wanted;
  // Parts beside each other have one height.
  whole.frames = whole.frames.map((frame) =>
    frame.owner === id ? { ...frame, height: whole.height - head - padding } : frame,
  );
  return whole;
}

interface Link {
  readonly from: string;
  readonly to: string;
  readonly fromNode?: NodeId;
  readonly toNode?: NodeId;
  readonly param?: string;
  readonly slots: string[];
  isOrder: boolean;
}

function nodeKey(id: NodeId): string {
  return `node ${id}`;
}

/** What goes from where to where, once for each pair. */
function linksOf(graph: Graph, isOutermost: boolean): ReadonlyMap<string, Link> {
  const links = new Map<string, Link>();
  const add = (source: Source, toNode: NodeId | undefined, slot: string): void => {
    const from = beginningOf(source, graph);
    if (from === undefined) return;
    const to = toNode === undefined ? RESULT : nodeKey(toNode);
    const key = `${from.key}\n${to}`;
    const known = links.get(key);
    if (known === undefined)
      links.set(key, {
        from: from.key,
        to,
        ...from.link,
        ...(toNode === undefined ? {} : { toNode }),
        slots: slot === "" ? [] : [slot],
        isOrder: slot === "",
      });
    else if (slot !== "") {
      known.slots.push(slot);
      known.isOrder = false;
    }
  };
  for (const [id, node] of Object.entries(graph.nodes)) {
    for (const { slot, source } of inputsOf(node)) add(source, id, slot);
    for (const before of waitsFor(node)) add({ from: "node", node: before }, id, "");
  }
  if (isOutermost) add(graph.result, undefined, RESULT);
  return links;
}

function beginningOf(
  source: Source,
  graph: Graph,
): { readonly key: string; readonly link: { fromNode: NodeId } | { param: string } } | undefined {
  if (source.from === "node" && Object.hasOwn(graph.nodes, source.node))
    return { key: nodeKey(source.node), link: { fromNode: source.node } };
  if (source.from === "param") return { key: `param ${source.param}`, link: { param: source.param } };
  return undefined;
}

interface Collected {
  readonly links: ReadonlyMap<string, Link>;
  readonly inner: ReadonlyMap<NodeId, Sheet>;
  readonly options: LayoutOptions;
  readonly around: Around;
}

function collect(
  graph: Graph,
  dagre: DagreGraph<object, Box, { points?: readonly Point[] }>,
  { links, inner, options, around }: Collected,
): Sheet {
  const { owner, role, depth } = around;
  const belongs = owner === undefined || role === undefined ? {} : { owner, role };
  const sheet: Sheet = { width: 0, height: 0, nodes: [], frames: [], ends: [], edges: [] };
  const boxOf = (key: string): Box => {
    const { x, y, width, height } = dagre.node(key);
    return { x: x - width / 2, y: y - height / 2, width, height };
  };
  for (const key of dagre.nodes()) {
    const box = boxOf(key);
    sheet.width = Math.max(sheet.width, box.x + box.width);
    sheet.height = Math.max(sheet.height, box.y + box.height);
    if (key === RESULT) sheet.ends.push({ ...box, ...belongs, kind: "result", name: RESULT });
    if (key.startsWith("param "))
      sheet.ends.push({ ...box, ...belongs, kind: "param", name: key.slice("param ".length) });
  }
  for (const [id, node] of Object.entries(graph.nodes)) {
    const box = boxOf(nodeKey(id));
    sheet.nodes.push({ ...box, id, node, depth });
    const inside = inner.get(id);
    if (inside !== undefined) place(sheet, inside, { x: box.x + (box.width - inside.width) / 2, y: box.y });
  }
  for (const { from, to, fromNode, toNode, param, slots, isOrder } of links.values()) {
    const points = endToEnd(dagre.edge(from, to).points ?? [], boxOf(from), boxOf(to));
    sheet.edges.push({
      ...(fromNode === undefined ? {} : { from: fromNode }),
      ...(toNode === undefined ? {} : { to: toNode }),
      ...(param === undefined ? {} : { param }),
      slots,
      isOrder,
      points,
    });
  }
  // A graph without anything is still a place to put something.
  sheet.width = Math.max(sheet.width, Object.keys(graph.nodes).length === 0 ? options.end.width : 0);
  sheet.height = Math.max(sheet.height, options.end.height);
  return sheet;
}

/** Edges leave in the middle of the foot and come in at the middle of the head; in between they go where there is room. */
function endToEnd(points: readonly Point[], from: Box, to: Box): readonly Point[] {
  return [
    { x: from.x + from.width / 2, y: from.y + from.height },
    ...points.slice(1, -1).filter(({ y }) => y > from.y + from.height && y < to.y),
    { x: to.x + to.width / 2, y: to.y },
  ];
}

/** Puts what was drawn by itself into its place in a larger drawing. */
function place(whole: Sheet, part: Sheet, at: Point): void {
  const moved = <T extends Point>(each: T): T => ({ ...each, x: each.x + at.x, y: each.y + at.y });
  whole.nodes.push(...part.nodes.map(moved));
  whole.frames.push(...part.frames.map(moved));
  whole.ends.push(...part.ends.map(moved));
  whole.edges.push(...part.edges.map((edge) => ({ ...edge, points: edge.points.map(moved) })));
}
