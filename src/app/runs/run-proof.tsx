import { type Signal, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { decodeRunRecord, encodeRunRecord, type RunRecord } from "../../plan/run-record.ts";
import { type RunCheck, type RunProblem, verifyRun } from "../../plan/verify/verify-run.ts";
import { verifierOf } from "../../protocol/ed25519.ts";
import { FileButton } from "../components/file-button.tsx";
import { sentence } from "../editor/connections.ts";
import { saveFile } from "../state/save-file.ts";
import { tookText } from "../words/function-words.ts";
import { counted } from "../words/quantities.ts";
import { shortCid } from "../words/short-id.ts";
import type { PlanWork } from "./plan-work.ts";
import { StateMark } from "./state-mark.tsx";

type Checked =
  | { readonly kind: "running" }
  | { readonly kind: "ended"; readonly check: RunCheck; readonly tookMs: number }
  /** Not a record at all. */
  | { readonly kind: "none"; readonly why: string };

/** Checks a record in this page, asking nobody. */
async function check(
  read: () => RunRecord | Promise<RunRecord>,
  into: Signal<Checked | undefined>,
): Promise<void> {
  into.value = { kind: "running" };
  const began = performance.now();
  try {
    const found = await verifyRun(await read(), verifierOf(crypto.subtle));
    into.value = { kind: "ended", check: found, tookMs: performance.now() - began };
  } catch (error) {
    into.value = { kind: "none", why: error instanceof Error ? error.message : "it cannot be read" };
  }
}

/** The proof of a run that this page has coordinated: checked here, or taken along. */
export function RunProof({ work }: { readonly work: PlanWork }): JSX.Element | null {
  const checked = useSignal<Checked | undefined>(undefined);
  const run = work.run.value;
  if (run === undefined) return null;
  return (
    <section class="card" aria-labelledby="run-proof-title">
      <div class="card-head">
        <h2 id="run-proof-title">Proof</h2>
        <p class="hint code" title={run.id}>
          {shortCid(run.id)}
        </p>
      </div>
      <p>
        Every step of this run is signed by the peer that carried it out. This page checks each signature, and
        computes again whatever lies between the steps.
      </p>
      <div class="button-row">
        <button
          class="button"
          type="button"
          disabled={work.isRunning || checked.value?.kind === "running"}
          onClick={() => void check(() => run.record(), checked)}
        >
          Check the run here
        </button>
        <button
          class="button button-quiet"
          type="button"
          onClick={() => saveFile(`${work.plan.name}.tabmesh-run`, new Blob([encodeRunRecord(run.record())]))}
        >
          Save the record
        </button>
      </div>
      <p class="hint">
        The record is one file. Anybody checks it without a network:{" "}
        <code>{`npx tabmesh plan verify ${work.plan.name}.tabmesh-run`}</code>
      </p>
      <Verdict checked={checked.value} />
    </section>
  );
}

/** Checks a run of somebody else from its record. */
export function RecordCheck(): JSX.Element {
  const checked = useSignal<Checked | undefined>(undefined);
  return (
    <section class="card" aria-labelledby="record-title">
      <div class="card-head">
        <h2 id="record-title">Check a record</h2>
        <FileButton
          label="Choose a record"
          name="Record of a run"
          accept=".tabmesh-run"
          isSmall
          onFile={(file) =>
            void check(async () => decodeRunRecord(new Uint8Array(await file.arrayBuffer())), checked)
          }
        />
      </div>
      <p class="hint">
        A run that somebody has saved: whether it was carried out as its plan says, from its signatures alone.
      </p>
      <Verdict checked={checked.value} />
    </section>
  );
}

function Verdict({ checked }: { readonly checked: Checked | undefined }): JSX.Element {
  return (
    <div role="status" class="run-verdict">
      {checked?.kind === "running" && <p class="hint">Checking each receipt…</p>}
      {checked?.kind === "none" && (
        <p class="verdict verdict-bad">
          <strong>This is no record of a run.</strong> {sentence(checked.why)}
        </p>
      )}
      {checked?.kind === "ended" && <Found check={checked.check} tookMs={checked.tookMs} />}
    </div>
  );
}

const SHOWN_PROBLEMS = 12;

function Found({ check: found, tookMs }: { readonly check: RunCheck; readonly tookMs: number }): JSX.Element {
  const { ok, status, problems, unchecked, steps, peers, result } = found;
  const isOpen = problems.length === 0 && status === "open";
  const left = problems.length - SHOWN_PROBLEMS;
  return (
    <div class={ok ? "verdict" : isOpen ? "verdict verdict-wait" : "verdict verdict-bad"}>
      <p class="verdict-title run-verdict-title">
        <StateMark mark={ok ? "done" : isOpen ? "waiting" : "failed"} />
        <span>
          <strong>{ok ? "It holds." : isOpen ? "Not over yet." : "It does not hold."}</strong>{" "}
          {`${counted(steps, "receipt")} of ${counted(peers.length, "peer")}, checked in ${tookText(tookMs)}.`}
          {ok && status === "failed" && " The run failed, and that is what its receipts say."}
        </span>
      </p>
      {problems.length > 0 && (
        <ul class="run-problems">
          {problems.slice(0, SHOWN_PROBLEMS).map((each) => (
            <Problem key={`${each.where} ${each.iteration} ${each.message}`} problem={each} />
          ))}
          {left > 0 && <li class="hint">{`and ${left} more`}</li>}
        </ul>
      )}
      {unchecked.length > 0 && (
        <details class="technical">
          <summary>{`${counted(unchecked.length, "thing")} could not be looked at: the values are not in the record`}</summary>
          <ul class="run-problems">
            {unchecked.slice(0, SHOWN_PROBLEMS).map((each) => (
              <Problem key={`${each.where} ${each.iteration} ${each.message}`} problem={each} />
            ))}
          </ul>
        </details>
      )}
      {result !== undefined && (
        <p class="hint">
          Result: <span class="code">{shortCid(result)}</span>
        </p>
      )}
    </div>
  );
}

function Problem({ problem: { where, iteration, message } }: { readonly problem: RunProblem }): JSX.Element {
  return (
    <li>
      <strong>{iteration === "" ? where : `${where}, turn ${iteration}`}</strong> {sentence(message)}
    </li>
  );
}
