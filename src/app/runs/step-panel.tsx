import { useSignal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { graphsOf } from "../../plan/node-parts.ts";
import type { NodeId } from "../../plan/plan.ts";
import { openEnvelope } from "../../protocol/envelope.ts";
import { failureKind } from "../../protocol/failure-code.ts";
import { type Step, stepMessage } from "../../protocol/messages/run.ts";
import { findNode } from "../editor/find-node.ts";
import { sentence } from "../editor/connections.ts";
import { Amount } from "../components/amount.tsx";
import { JobOutput } from "../components/job-output.tsx";
import { printable, suffixOf } from "../state/jobs-output.ts";
import { saveFile } from "../state/save-file.ts";
import { tookText } from "../words/function-words.ts";
import { bytesText } from "../words/model-words.ts";
import { counted, scaledText } from "../words/quantities.ts";
import { shortCid, shortPeer } from "../words/short-id.ts";
import { KINDS, kindOf } from "./kinds.ts";
import { nickname } from "./nickname.ts";
import type { PlanWork } from "./plan-work.ts";
import { type Attempt, markOf, type Receipt } from "./run-progress.ts";
import { type Mark, MARKS, StateMark } from "./state-mark.tsx";

export interface StepPanelProps {
  readonly work: PlanWork;
  readonly id: NodeId;
  readonly testMoney: boolean;
  /** Back to the graph. */
  readonly onLeave: () => void;
  readonly onClose: () => void;
}

/** Attempts that are listed at once. */
const PAGE = 20;

/** A step of the run: each of its attempts, who signed for it, and what came of it. */
export function StepPanel({ work, id, testMoney, onLeave, onClose }: StepPanelProps): JSX.Element | null {
  const shown = useSignal(PAGE);
  const root = useRef<HTMLElement>(null);
  // Where it stands below the graph, who has chosen a step would not see what came of it.
  useEffect(() => root.current?.scrollIntoView({ block: "nearest" }), []);
  const found = findNode(work.plan, id);
  if (found === undefined) return null;
  const { node } = found;
  const mark = markOf(work.progress, id, node);
  const attempts = work.progress.attemptsAt(id);
  const left = attempts.length - shown.value;
  return (
    <section
      class="runstep"
      ref={root}
      aria-labelledby="step-title"
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.preventDefault();
        onLeave();
      }}
    >
      <div class="runstep-head">
        <h3 id="step-title" tabIndex={-1}>
          {node.title ?? id}
        </h3>
        <button class="link" type="button" onClick={onClose}>
          Close
        </button>
      </div>
      <p class="runstep-state">
        <StateMark mark={mark} />
        <span>
          {`${KINDS[kindOf(node)].label}, ${MARKS[mark].word}`}
          <span class="hint code"> {id}</span>
        </span>
      </p>
      {attempts.length === 0 && (
        <p class="hint">
          {graphsOf(node).length > 0 ? "Its steps stand inside of it." : "Nobody has begun it yet."}
        </p>
      )}
      <ul class="runstep-attempts">
        {attempts.slice(0, shown.value).map((attempt) => (
          <li key={`${attempt.iteration} ${attempt.attempt} ${attempt.receipt?.cid ?? ""}`}>
            <Folded attempt={attempt} isOnly={attempts.length === 1} work={work} testMoney={testMoney} />
          </li>
        ))}
      </ul>
      {left > 0 && (
        <button class="link" type="button" onClick={() => (shown.value += PAGE * 5)}>
          {`Show more of ${counted(attempts.length, "attempt")}`}
        </button>
      )}
    </section>
  );
}

const STATE_MARKS: Readonly<Record<Attempt["state"], Mark>> = {
  ready: "ready",
  given: "running",
  done: "done",
  failed: "failed",
  skipped: "skipped",
  lost: "skipped",
};

interface AttemptProps {
  readonly attempt: Attempt;
  readonly work: PlanWork;
  readonly testMoney: boolean;
}

function Folded(props: AttemptProps & { readonly isOnly: boolean }): JSX.Element {
  const { attempt, isOnly } = props;
  const isOpen = useSignal(isOnly);
  const { receipt, state, iteration } = attempt;
  return (
    <details open={isOpen.value} onToggle={(event) => (isOpen.value = event.currentTarget.open)}>
      <summary class="runstep-line">
        <StateMark mark={STATE_MARKS[state]} />
        <span>{iteration === "" ? nth(attempt.attempt) : `Turn ${iteration}`}</span>
        <span class="hint">
          {receipt === undefined
            ? state === "given"
              ? "at work"
              : state
            : receipt.peer === props.work.self.value
              ? "here"
              : `${nickname(receipt.peer)}${receipt.elapsedMs > 0 ? ` · ${tookText(receipt.elapsedMs)}` : ""}`}
        </span>
      </summary>
      {isOpen.value && <AttemptBody {...props} />}
    </details>
  );
}

function nth(attempt: number): string {
  return `Attempt ${attempt + 1}`;
}

function AttemptBody({ attempt, work, testMoney }: AttemptProps): JSX.Element {
  const { receipt, code, detail } = attempt;
  const kind = code === undefined ? undefined : failureKind(code);
  return (
    <div class="runstep-body">
      {kind !== undefined && (
        <p class="runstep-why">
          {kind.means}
          {detail !== undefined && detail !== "" && (
            <span class="hint">{` ${sentence(printable(detail))}`}</span>
          )}
        </p>
      )}
      {receipt === undefined ? (
        <p class="hint">
          Nobody has signed for it{attempt.state === "lost" ? ", so nobody is paid" : " yet"}.
        </p>
      ) : (
        <ReceiptFacts receipt={receipt} work={work} testMoney={testMoney} />
      )}
    </div>
  );
}

interface ReceiptFactsProps {
  readonly receipt: Receipt;
  readonly work: PlanWork;
  readonly testMoney: boolean;
}

function ReceiptFacts({ receipt, work, testMoney }: ReceiptFactsProps): JSX.Element {
  const step = openEnvelope(stepMessage, receipt.envelope).body;
  const { peer, fuel, cost, inputBytes, outputBytes, elapsedMs, isEffect, cid } = receipt;
  return (
    <>
      <dl class="runstep-facts">
        <Fact name="Signed by" title={peer}>
          <span class="code">{shortPeer(peer)}</span>
          {peer === work.self.value && <span> this page</span>}
        </Fact>
        {elapsedMs > 0 && <Fact name="Time">{tookText(elapsedMs)}</Fact>}
        <Fact name="In, out">{`${bytesText(inputBytes)}, ${bytesText(outputBytes)}`}</Fact>
        {fuel > 0n && <Fact name="Fuel">{scaledText(Number(fuel))}</Fact>}
        {cost > 0n && (
          <Fact name="Cost">
            <Amount value={cost} testMoney={testMoney} withUnit />
          </Fact>
        )}
        <Fact name="Input" title={step.args}>
          <span class="code">{shortCid(step.args)}</span>
        </Fact>
        {step.result !== undefined && (
          <Fact name="Value" title={step.result}>
            <span class="code">{shortCid(step.result)}</span>
          </Fact>
        )}
        {step.parents.length > 0 && (
          <Fact name="Follows from">{counted(step.parents.length, "receipt")}</Fact>
        )}
        {isEffect && <Fact name="Effect">recorded, not computed again</Fact>}
        {step.lease !== undefined && (
          <Fact name="Paid under" title={step.lease}>
            <span class="code">{`${shortCid(step.lease)} #${step.seq ?? 0}`}</span>
          </Fact>
        )}
        <Fact name="Receipt" title={cid}>
          <span class="code">{shortCid(cid)}</span>
        </Fact>
      </dl>
      <Value step={step} work={work} />
      <div class="button-row">
        <button
          class="button button-quiet button-small"
          type="button"
          onClick={() => saveFile(`${step.node}.tabmesh-step`, new Blob([new Uint8Array(receipt.envelope)]))}
        >
          Save the receipt
        </button>
      </div>
    </>
  );
}

function Fact(props: {
  readonly name: string;
  readonly title?: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd title={props.title}>{props.children}</dd>
    </div>
  );
}

type Fetched =
  | { readonly kind: "asked" }
  | { readonly kind: "here"; readonly bytes: Uint8Array }
  | { readonly kind: "gone" };

/** The value of a step: fetched from whoever holds it when somebody wants to see it. */
function Value({ step, work }: { readonly step: Step; readonly work: PlanWork }): JSX.Element | null {
  const fetched = useSignal<Fetched | undefined>(undefined);
  const { result, node } = step;
  const run = work.run.value;
  if (result === undefined || run === undefined) return null;
  const show = async (): Promise<void> => {
    fetched.value = { kind: "asked" };
    try {
      fetched.value = { kind: "here", bytes: await run.value(result) };
    } catch {
      fetched.value = { kind: "gone" };
    }
  };
  const state = fetched.value;
  if (state?.kind === "here")
    return (
      <div class="runstep-value">
        <JobOutput output={state.bytes} label={`Value of ${node}`} />
        <button
          class="link"
          type="button"
          onClick={() => saveFile(`${node}${suffixOf(state.bytes)}`, new Blob([new Uint8Array(state.bytes)]))}
        >
          Save the value
        </button>
      </div>
    );
  return (
    <p>
      <button class="link" type="button" disabled={state?.kind === "asked"} onClick={() => void show()}>
        {state?.kind === "asked" ? "Asking who holds it…" : "Show the value"}
      </button>
      {state?.kind === "gone" && (
        <span class="hint">
          {" "}
          Nobody who holds it can be reached any more. Its CID still proves what it was.
        </span>
      )}
    </p>
  );
}
