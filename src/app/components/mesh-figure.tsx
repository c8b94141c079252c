import type { JSX } from "preact";
import type { Tone } from "../words/phase-words.ts";

type Point = readonly [x: number, y: number];

/** This tab, in the middle of the figure. */
const HERE: Point = [210, 184];
const NEAR: readonly Point[] = [
  [92, 122],
  [186, 52],
  [322, 88],
  [344, 218],
  [254, 312],
  [104, 272],
];
const FAR: readonly Point[] = [
  [22, 44],
  [104, 14],
  [272, 12],
  [396, 34],
  [410, 150],
  [402, 306],
  [330, 352],
  [178, 358],
  [26, 342],
  [10, 198],
];
/** Pairs of indices: near to near, and near to far. */
const RING = [
  [0, 1],
  [1, 2],
  [2, 3],
  [3, 4],
  [4, 5],
  [5, 0],
] as const;
const REACH = [
  [0, 0],
  [0, 1],
  [1, 1],
  [1, 2],
  [2, 2],
  [2, 3],
  [2, 4],
  [3, 4],
  [3, 5],
  [4, 5],
  [4, 6],
  [4, 7],
  [5, 7],
  [5, 8],
  [5, 9],
  [0, 9],
] as const;

/** Threads beyond this are not drawn one by one. */
const MOST_CELLS = 12;
const CELLS_PER_ROW = 4;
const CELL_STEP = 20;

function line([x1, y1]: Point, [x2, y2]: Point): string {
  return `M${x1} ${y1} ${x2} ${y2}`;
}

function lines(
  from: readonly Point[],
  to: readonly Point[],
  pairs: readonly (readonly [number, number])[],
): string {
  return pairs
    .map(([a, b]) => {
      const [start, end] = [from[a], to[b]];
      return start === undefined || end === undefined ? "" : line(start, end);
    })
    .join("");
}

/** A tab seen from the front, open below: it rises from its strip and comes down to it again. */
function tabPath([x, y]: Point, half: number, height: number): string {
  const [round, foot, strip] = [half * 0.32, half * 0.46, half * 0.3];
  const [top, base] = [y - height / 2, y + height / 2];
  return [
    `M${x - half - foot - strip} ${base}h${strip}q${foot} 0 ${foot} ${-foot}V${top + round}`,
    `q0 ${-round} ${round} ${-round}H${x + half - round}q${round} 0 ${round} ${round}`,
    `V${base - foot}q0 ${foot} ${foot} ${foot}h${strip}`,
  ].join("");
}

function cellPlace(index: number, count: number): Point {
  const rows = Math.ceil(count / CELLS_PER_ROW);
  const row = Math.floor(index / CELLS_PER_ROW);
  const inRow = Math.min(count - row * CELLS_PER_ROW, CELLS_PER_ROW);
  const x = HERE[0] + ((index % CELLS_PER_ROW) - (inRow - 1) / 2) * CELL_STEP;
  return [x, HERE[1] + (row - (rows - 1) / 2) * CELL_STEP];
}

export interface MeshFigureProps {
  readonly tone: Tone;
  readonly workers: number;
  readonly busy: number;
  /** Tasks ended so far. */
  readonly ended: number;
}

/** What flows to this tab has moved on by so much with each ended task: a quarter of a dash and its gap. */
const FLOW_STEP = 3;
const FLOW_STEPS = 4;

/**
 * This tab among others: a lit cell is a thread at work. Everything it shows is also said in words. It moves with the work
 * and not by itself: an animation would use a sixth of a processor, which the person has not given.
 */
export function MeshFigure({ tone, workers, busy, ended }: MeshFigureProps): JSX.Element {
  const flow = -FLOW_STEP * (ended % FLOW_STEPS);
  const cells = Math.min(workers, MOST_CELLS);
  return (
    <svg class="mesh-figure" data-tone={tone} viewBox="0 -6 420 376" aria-hidden="true">
      <path class="mesh-far" d={lines(NEAR, FAR, REACH)} />
      <path class="mesh-ring" d={lines(NEAR, NEAR, RING)} />
      {NEAR.map((point, index) => (
        <path key={index} class="mesh-spoke" d={line(point, HERE)} stroke-dashoffset={flow} />
      ))}
      {FAR.map((point, index) => (
        <path key={index} class="mesh-peer mesh-peer-far" d={tabPath(point, 7, 13)} />
      ))}
      {NEAR.map((point, index) => (
        <path key={index} class="mesh-peer" d={tabPath(point, 11, 22)} />
      ))}
      <path class="mesh-here" d={tabPath(HERE, 56, 96)} />
      {Array.from({ length: cells }, (_, index) => {
        const [x, y] = cellPlace(index, cells);
        return (
          <rect
            key={index}
            class={index < busy ? "mesh-cell mesh-cell-busy" : "mesh-cell"}
            x={x - 7}
            y={y - 7}
            width="14"
            height="14"
            rx="4"
          />
        );
      })}
    </svg>
  );
}
