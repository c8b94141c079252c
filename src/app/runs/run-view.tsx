import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { DrawnEdge, DrawnNode } from "../../plan/layout.ts";
import type { NodeId } from "../../plan/plan.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { Amount } from "../components/amount.tsx";
import { noteWords } from "./note-words.ts";
import { useNow } from "../state/now.ts";
import { durationText } from "../words/durations.ts";
import { tookText } from "../words/function-words.ts";
import { counted, countText, scaledText } from "../words/quantities.ts";
import { nickname } from "./nickname.ts";
import { type NodeLook, PlanGraph } from "./plan-graph.tsx";
import type { PlanWork } from "./plan-work.ts";
import { Failed, Notes, Result } from "./run-outcome.tsx";
import { RunProof } from "./run-proof.tsx";
import { endedOf, markOf, type NodeProgress, type RunTotals, totalsOf } from "./run-progress.ts";
import type { RunsDesk } from "./runs-desk.ts";
import { StepPanel } from "./step-panel.tsx";

export interface RunViewProps {
  readonly desk: RunsDesk;
  readonly work: PlanWork;
  readonly testMoney: boolean;
}

/** A run as it happens, or what became of it. */
export function RunView({ desk, work, testMoney }: RunViewProps): JSX.Element {
  const title = useRef<HTMLHeadingElement>(null);
  const root = useRef<HTMLElement>(null);
  const selected = useSignal<NodeId | undefined>(undefined);
  useEffect(() => title.current?.focus(), [work]);
  // Read, so that what is new is drawn.
  void work.changes.value;
  const { plan, progress } = work;
  const focusNode = (id: NodeId): void =>
    root.current?.querySelector<HTMLElement>(`[data-node="${CSS.escape(id)}"]`)?.focus();
  return (
    <>
      <section class="card run" aria-labelledby="run-title" ref={root}>
        <div class="card-head">
          <h2 id="run-title" tabIndex={-1} ref={title}>
            {plan.name}
          </h2>
          {work.isRunning ? (
            <button
              class="button button-quiet"
              type="button"
              disabled={work.isCancelled.value}
              onClick={() => work.cancel()}
            >
              Cancel
            </button>
          ) : (
            <button class="button" type="button" onClick={() => desk.leaveRun()}>
              Another run
            </button>
          )}
        </div>
        <Bar work={work} totals={totalsOf(progress, plan)} />
        <Figures work={work} totals={totalsOf(progress, plan)} testMoney={testMoney} />
        <Failed
          work={work}
          testMoney={testMoney}
          onGo={(id) => {
            selected.value = id;
            focusNode(id);
          }}
        />
        <div class={selected.value === undefined ? "run-columns" : "run-columns run-columns-open"}>
          <PlanGraph
            plan={plan}
            label="Steps of the run. Arrow keys go from step to step, Enter opens one."
            look={(drawn) => lookOf(work, drawn)}
            flow={(edge) => flowOf(work, edge)}
            selected={selected.value}
            onSelect={(id) => (selected.value = id)}
            onOpen={() => root.current?.querySelector<HTMLElement>("#step-title")?.focus()}
            onKey={(event) => {
              if (event.key === "Escape") selected.value = undefined;
              return event.key === "Escape";
            }}
          />
          {selected.value !== undefined && (
            <StepPanel
              key={selected.value}
              work={work}
              id={selected.value}
              testMoney={testMoney}
              onLeave={() => {
                if (selected.value !== undefined) focusNode(selected.value);
              }}
              onClose={() => {
                const id = selected.value;
                selected.value = undefined;
                if (id !== undefined) focusNode(id);
              }}
            />
          )}
        </div>
        {selected.value === undefined && (
          <p class="hint">Choose a step to see its receipt, where it ran, and what came of it.</p>
        )}
        <Notes work={work} />
      </section>
      <Result work={work} />
      {work.run.value !== undefined && <RunProof work={work} />}
    </>
  );
}

function Bar({ work, totals }: { readonly work: PlanWork; readonly totals: RunTotals }): JSX.Element {
  const isDone = work.phase.value.kind === "done";
  const newest = work.notes.value.at(-1);
  const isSure = totals.nodesEnded > 0 || !work.isRunning;
  return (
    <div class="run-bar">
      <progress
        aria-label="Run"
        {...(isSure ? { value: isDone ? 1 : totals.nodesEnded / Math.max(totals.nodes, 1) } : {})}
      />
      <p role="status">{stateWords(work)}</p>
      {work.phase.value.kind === "running" && newest !== undefined && (
        <p class="hint run-newest">{noteWords(newest.text)}</p>
      )}
    </div>
  );
}

function stateWords(work: PlanWork): string {
  const phase = work.phase.value;
  const summary = work.summary.value;
  switch (phase.kind) {
    case "starting":
      return "Joining the mesh and signing the run";
    case "running":
      return work.isCancelled.value ? "Cancelling at the tabs" : "Under way";
    case "done":
      return summary === undefined ? "Done; the last receipts are being settled" : "Done";
    case "failed":
      return work.isCancelled.value ? "Cancelled" : "Failed";
    default:
      return phase satisfies never;
  }
}

const MINUTE_MS = 60_000;

interface FiguresProps {
  readonly work: PlanWork;
  readonly totals: RunTotals;
  readonly testMoney: boolean;
}

function Figures({ work, totals, testMoney }: FiguresProps): JSX.Element {
  // Read, so that the seconds go on between two changes.
  void useNow(work.isRunning).value;
  const ms = work.elapsedMs();
  const summary = work.summary.value;
  const others = [...totals.peers].filter((peer) => peer !== work.self.value);
  return (
    <dl class="run-figures">
      <div>
        <dt>Steps done</dt>
        <dd>
          {countText(totals.nodesEnded)}
          <span class="hint">{` of ${countText(totals.nodes)}`}</span>
        </dd>
      </div>
      <div>
        <dt>Receipts</dt>
        <dd>{countText(totals.steps)}</dd>
      </div>
      <div>
        <dt>Tabs</dt>
        <dd>{countText(summary?.providers.length ?? others.length)}</dd>
      </div>
      {!work.isResumed && (
        <div>
          <dt>Time</dt>
          <dd>{work.isRunning || ms >= MINUTE_MS ? durationText(ms) : tookText(ms)}</dd>
        </div>
      )}
      <div>
        <dt>Fuel</dt>
        <dd>{scaledText(Number(totals.fuel))}</dd>
      </div>
      <div>
        <dt>Cost</dt>
        <dd>
          <Amount value={summary?.spent ?? totals.cost} testMoney={testMoney} />
        </dd>
      </div>
    </dl>
  );
}

/** Iterations are folded into their node: so many of so many. */
function lookOf(work: PlanWork, { id, node }: DrawnNode): NodeLook {
  const { progress, self } = work;
  const own = progress.of(id);
  const seen = own.ready + own.given + endedOf(own);
  const mark = markOf(progress, id, node);
  // The other way of a branch, a fallback that nobody needed, what stands behind a failure.
  if (mark === "waiting" && !work.isRunning) return { mark: "skipped", line: "not needed" };
  return {
    mark,
    line: lineOf(own, seen, { self: self.value, isRemote: "place" in node }),
    ...(seen > 1 ? { progress: endedOf(own) / seen } : {}),
    ...(own.lost > 0 ? { aside: `${counted(own.lost, "attempt")} lost` } : {}),
  };
}

/** "K9zvRR · 12 ms", "3 of 4 · 2 tabs", "here". */
function lineOf(
  own: NodeProgress,
  seen: number,
  { self, isRemote }: { readonly self: PeerId | undefined; readonly isRemote: boolean },
): string {
  const ended = endedOf(own);
  const others = own.peers.filter((peer) => peer !== self);
  const [peer] = others;
  const parts: string[] = [];
  if (seen > 1) parts.push(`${countText(ended)} of ${countText(seen)}`);
  if (others.length > 1) parts.push(counted(others.length, "tab"));
  else if (peer !== undefined) parts.push(nickname(peer));
  else if (own.peers.length > 0) parts.push("here");
  if (peer !== undefined && seen === 1 && own.longestMs > 0) parts.push(tookText(own.longestMs));
  if (own.lost > 0) parts.push(`${own.lost} lost`);
  if (parts.length > 0) return parts.join(" · ");
  if (own.given > 0) return "given to a tab";
  if (own.ready > 0) return isRemote ? "looks for a tab" : "under way here";
  return "waits for its input";
}

function flowOf({ progress }: PlanWork, { from, to }: DrawnEdge): "none" | "under-way" | "done" {
  const isThere = from === undefined || progress.of(from).done > 0;
  if (!isThere) return "none";
  if (to === undefined) return "done";
  const next = progress.of(to);
  if (next.given > 0) return "under-way";
  return endedOf(next) > 0 ? "done" : "none";
}
