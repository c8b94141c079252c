import type { JSX } from "preact";
import type { DrawnEdge, DrawnEnd, DrawnFrame, DrawnNode, Drawing, Point } from "../../plan/layout.ts";

/** Down from point to point, leaving and coming in upright. */
export function curve(points: readonly Point[]): string {
  return points
    .map(({ x, y }, index) => {
      const before = points[index - 1];
      if (before === undefined) return `M${x} ${y}`;
      const middle = (before.y + y) / 2;
      return `C${before.x} ${middle} ${x} ${middle} ${x} ${y}`;
    })
    .join("");
}

const ARROW = 5;

export function Edge({ edge, flow }: { readonly edge: DrawnEdge; readonly flow: string }): JSX.Element {
  const end = edge.points.at(-1) ?? { x: 0, y: 0 };
  return (
    <g class={edge.isOrder ? "graph-link graph-order" : "graph-link"} data-flow={flow}>
      <path class="graph-edge" d={curve(edge.points)} />
      <path
        class="graph-arrow"
        d={`M${end.x - ARROW} ${end.y - ARROW - 2}L${end.x} ${end.y - 1}L${end.x + ARROW} ${end.y - ARROW - 2}`}
      />
    </g>
  );
}

/** Where a value comes in from outside, or the result goes out. */
export function End({ end }: { readonly end: DrawnEnd }): JSX.Element {
  const { x, y, width, height, kind, name } = end;
  return (
    <foreignObject x={x} y={y} width={width} height={height}>
      <span class={`graph-end graph-end-${kind}`} title={name}>
        {name}
      </span>
    </foreignObject>
  );
}

const ROLES: ReadonlyMap<string, string> = new Map([
  ["then", "then"],
  ["otherwise", "otherwise"],
  ["fallback", "fallback"],
  ["graph", "first"],
]);

function roleText(role: string): string {
  return ROLES.get(role) ?? `way ${Number(role.slice("of.".length)) + 1}`;
}

/** The ground of a node that has steps inside. */
export function Group({
  drawn,
  drawing,
}: {
  readonly drawn: DrawnNode;
  readonly drawing: Drawing;
}): JSX.Element {
  const frames = drawing.frames.filter(({ owner }) => owner === drawn.id);
  const { x, y, width, height, depth } = drawn;
  return (
    <g class={depth % 2 === 0 ? "graph-group" : "graph-group graph-group-odd"}>
      <rect x={x} y={y} width={width} height={height} rx={14} />
      {frames.length > 1 && frames.map((frame) => <Part key={frame.role} frame={frame} />)}
    </g>
  );
}

function Part({ frame }: { readonly frame: DrawnFrame }): JSX.Element {
  const { x, y, width, height, role } = frame;
  return (
    <>
      <rect class="graph-part" x={x} y={y} width={width} height={height} rx={10} />
      <text class="graph-role" x={x + 12} y={y + 20}>
        {roleText(role)}
      </text>
    </>
  );
}
