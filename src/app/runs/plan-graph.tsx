import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import {
  type DrawnEdge,
  type Drawing,
  type DrawnNode,
  layoutPlan,
  type LayoutOptions,
  type Point,
} from "../../plan/layout.ts";
import type { NodeId, Plan } from "../../plan/plan.ts";
import { curve, Edge, End, Group } from "./graph-parts.tsx";
import { DIRECTION_BY_KEY, nodeInDirection } from "./graph-steps.ts";
import { KINDS, kindOf } from "./kinds.ts";
import { type Mark, MARKS, StateMark } from "./state-mark.tsx";

/** Lengths in CSS pixels. */
const SIZES: LayoutOptions = {
  node: { width: 236, height: 66 },
  head: 66,
  end: { width: 128, height: 32 },
  gap: { across: 24, down: 38 },
  padding: 12,
  label: 20,
};
/** On a phone, where two steps beside each other are to fit. */
const NARROW_SIZES: LayoutOptions = {
  ...SIZES,
  node: { width: 178, height: 64 },
  end: { width: 110, height: 32 },
  gap: { across: 14, down: 34 },
  padding: 8,
};
const NARROW_PX = 560;
const MARGIN = 10;
/** A drawing that is too wide is made smaller until here; then it is scrolled, so that its words stay readable. */
const LEAST_SCALE = 0.72;

/** How a node looks right now. */
export interface NodeLook {
  /** Second line of its card. */
  readonly line: string;
  readonly mark?: Mark;
  /** Of what is folded into it: how far it is, from 0 to 1. */
  readonly progress?: number;
  /** The node has something to say that is not seen; read aloud after its name. */
  readonly aside?: string;
}

export interface PlanGraphProps {
  readonly plan: Plan;
  readonly label: string;
  readonly look: (drawn: DrawnNode) => NodeLook;
  readonly selected: NodeId | undefined;
  readonly onSelect: (id: NodeId) => void;
  /** Enter on a node, or a second click. */
  readonly onOpen?: (id: NodeId) => void;
  /** Other keys. @returns whether it meant something */
  readonly onKey?: (key: KeyboardEvent, id: NodeId) => boolean;
  /** A value is drawn from one node to another with the pointer. */
  readonly onConnect?: (from: NodeId, to: NodeId) => void;
  /** The node whose value looks for a place. */
  readonly connecting?: NodeId | undefined;
  /** Whether a value has gone along the edge, or goes now. */
  readonly flow?: (edge: DrawnEdge) => "none" | "under-way" | "done";
}

/** A plan as a graph, from above to below. One stop of the Tab key; arrow keys go from node to node. */
export function PlanGraph(props: PlanGraphProps): JSX.Element {
  const { plan, label, selected, onSelect } = props;
  const root = useRef<HTMLDivElement>(null);
  const room = useRoom(root);
  const { drawing, sizes } = useMemo(() => fittingDrawing(plan, room), [plan, room]);
  const width = Math.max(drawing.width, sizes.node.width) + 2 * MARGIN;
  const scale = Math.min(1, Math.max(room / width, LEAST_SCALE));
  const height = drawing.height + 2 * MARGIN;
  const goTo = (id: NodeId): void => {
    onSelect(id);
    root.current?.querySelector<HTMLElement>(`[data-node="${CSS.escape(id)}"]`)?.focus();
  };
  const stop = drawing.nodes.some(({ id }) => id === selected) ? selected : drawing.nodes[0]?.id;
  const connect = useConnect(props, root);
  return (
    <div
      class={sizes === NARROW_SIZES ? "graph graph-narrow" : "graph"}
      role="group"
      aria-label={label}
      ref={root}
    >
      <svg
        class="graph-sheet"
        width={width * scale}
        height={height * scale}
        viewBox={`${-MARGIN} ${-MARGIN} ${width} ${height}`}
        onPointerMove={connect.move}
        onPointerUp={connect.drop}
      >
        {drawing.nodes
          .filter(({ id }) => drawing.frames.some(({ owner }) => owner === id))
          .map((drawn) => (
            <Group key={drawn.id} drawn={drawn} drawing={drawing} />
          ))}
        {drawing.edges.map((edge) => (
          <Edge key={edgeKey(edge)} edge={edge} flow={props.flow?.(edge) ?? "none"} />
        ))}
        {drawing.ends.map((end) => (
          <End key={`${end.owner ?? ""} ${end.role ?? ""} ${end.kind} ${end.name}`} end={end} />
        ))}
        {drawing.nodes.map((drawn) => (
          <Card
            key={drawn.id}
            drawn={drawn}
            graph={props}
            isStop={drawn.id === stop}
            onArrow={(key) => {
              const direction = DIRECTION_BY_KEY.get(key);
              const next = direction && nodeInDirection(drawing.nodes, drawn.id, direction);
              if (next !== undefined) goTo(next);
              return direction !== undefined;
            }}
            onPort={props.onConnect === undefined ? undefined : connect.begin}
          />
        ))}
        {connect.line !== undefined && <path class="graph-edge graph-drawn" ref={connect.line} />}
      </svg>
    </div>
  );
}

/** With large cards where they fit into the room, CSS pixels, with small ones elsewhere. */
function fittingDrawing(
  plan: Plan,
  room: number,
): { readonly drawing: Drawing; readonly sizes: LayoutOptions } {
  if (room >= NARROW_PX) {
    const drawing = layoutPlan(plan, SIZES);
    if (drawing.width + 2 * MARGIN <= room) return { drawing, sizes: SIZES };
  }
  return { drawing: layoutPlan(plan, NARROW_SIZES), sizes: NARROW_SIZES };
}

/** Width that the drawing has, CSS pixels. */
function useRoom(root: { readonly current: HTMLElement | null }): number {
  const room = useSignal(innerWidth);
  useLayoutEffect(() => {
    const element = root.current;
    if (element === null) return undefined;
    // Without the padding around the sheet.
    const measure = (): void => {
      room.value = element.clientWidth - 8;
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return room.value;
}

function edgeKey({ from, to, param, points }: DrawnEdge): string {
  return `${from ?? `param ${param ?? ""}`} ${to ?? "result"} ${points[0]?.x ?? 0} ${points[0]?.y ?? 0}`;
}

interface Connecting {
  readonly begin: (id: NodeId, event: PointerEvent) => void;
  readonly move: (event: PointerEvent) => void;
  readonly drop: (event: PointerEvent) => void;
  readonly line: { current: SVGPathElement | null };
}

/** Draws a line from a node's foot to wherever the pointer is, and connects where it is let go. */
function useConnect({ onConnect }: PlanGraphProps, root: { current: HTMLElement | null }): Connecting {
  const line = useRef<SVGPathElement>(null);
  const from = useRef<{ readonly id: NodeId; readonly start: Point } | undefined>(undefined);
  const pointOf = (event: PointerEvent): Point | undefined => {
    const sheet = root.current?.querySelector("svg");
    const matrix = sheet?.getScreenCTM();
    if (sheet === null || sheet === undefined || matrix === null || matrix === undefined) return undefined;
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
    return { x, y };
  };
  const end = (): void => {
    from.current = undefined;
    line.current?.setAttribute("d", "");
  };
  useEffect(() => {
    addEventListener("pointerup", end);
    addEventListener("pointercancel", end);
    return () => {
      removeEventListener("pointerup", end);
      removeEventListener("pointercancel", end);
    };
  }, []);
  return {
    line,
    begin(id, event) {
      const start = pointOf(event);
      if (start === undefined || onConnect === undefined) return;
      event.preventDefault();
      from.current = { id, start };
    },
    move(event) {
      const to = pointOf(event);
      if (from.current === undefined || to === undefined) return;
      line.current?.setAttribute("d", curve([from.current.start, to]));
    },
    drop(event) {
      const begun = from.current;
      end();
      if (begun === undefined) return;
      const [target] = document
        .elementsFromPoint(event.clientX, event.clientY)
        .flatMap((element) => element.closest("[data-node]")?.getAttribute("data-node") ?? []);
      if (target !== undefined && target !== begun.id) onConnect?.(begun.id, target);
    },
  };
}

interface CardProps {
  readonly drawn: DrawnNode;
  readonly graph: PlanGraphProps;
  /** The Tab key stops here. */
  readonly isStop: boolean;
  readonly onArrow: (key: string) => boolean;
  readonly onPort: ((id: NodeId, event: PointerEvent) => void) | undefined;
}

function Card({ drawn, graph, isStop, onArrow, onPort }: CardProps): JSX.Element {
  const { id, node, x, y, width } = drawn;
  const { selected, connecting, look, onSelect, onOpen, onKey } = graph;
  const { line, mark, progress, aside } = look(drawn);
  const kind = kindOf(node);
  const isSelected = selected === id;
  const name = node.title ?? id;
  return (
    <>
      <foreignObject x={x} y={y} width={width} height={SIZES.head}>
        <button
          type="button"
          class="graph-card"
          data-node={id}
          data-mark={mark}
          data-connecting={connecting === id ? "from" : connecting !== undefined ? "to" : undefined}
          tabIndex={isStop ? 0 : -1}
          aria-pressed={isSelected}
          aria-label={[name, KINDS[kind].label, line, mark && MARKS[mark].word, aside]
            .filter((part) => part !== undefined && part !== "")
            .join(", ")}
          onClick={() => (isSelected ? onOpen?.(id) : onSelect(id))}
          onKeyDown={(event) => {
            const isMeant =
              onArrow(event.key) ||
              (event.key === "Enter" && onOpen !== undefined) ||
              onKey?.(event, id) === true;
            if (event.key === "Enter" && connecting === undefined) {
              onSelect(id);
              onOpen?.(id);
            } else if (event.key === "Enter") onKey?.(event, id);
            if (isMeant) event.preventDefault();
          }}
        >
          <svg class="graph-icon" width="20" height="20" viewBox="0 0 20 20" aria-hidden="true">
            <path d={KINDS[kind].icon} />
          </svg>
          <span class="graph-words">
            <strong>{name}</strong>
            <span>{line}</span>
          </span>
          {mark !== undefined && <StateMark mark={mark} />}
          {progress !== undefined && (
            <progress class="graph-progress" value={progress} aria-hidden="true" tabIndex={-1} />
          )}
        </button>
      </foreignObject>
      {onPort !== undefined && (
        <circle
          class="graph-port"
          cx={x + width / 2}
          cy={y + drawn.height}
          r={7}
          onPointerDown={(event) => onPort(id, event)}
        >
          <title>Drag to a step that is to have this value</title>
        </circle>
      )}
    </>
  );
}
