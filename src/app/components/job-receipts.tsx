import type { JSX } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { useSignal } from "@preact/signals";
import type { Cid } from "../../protocol/cid.ts";
import type { JobView } from "../../protocol/relay-api.ts";
import type { RecentLease, TabMemory } from "../../provider/tab-memory.ts";
import type { VerificationCheck } from "../../provider/receipt-verification.ts";
import { valueOf } from "../state/loadable.ts";
import type { RelayLink } from "../state/relay-link.ts";
import {
  createJobAccount,
  createJobReceipts,
  leasesAt,
  type JobReceiptChecks,
  type ReceiptCheck,
} from "../state/jobs-receipts.ts";
import { saveFile } from "../state/save-file.ts";
import { asSentence, checkTitle, verdictWords } from "../words/check-words.ts";
import { countText, counted } from "../words/quantities.ts";
import { shortCid, shortPeer } from "../words/short-id.ts";
import { Amount } from "./amount.tsx";
import { FailureNotice } from "./failure-notice.tsx";
import { JobAccount } from "./job-account.tsx";

export interface JobReceiptsProps {
  readonly job: Cid;
  readonly leases: readonly RecentLease[];
  readonly relay: RelayLink;
  readonly memory: TabMemory;
  readonly testMoney: boolean;
  /** Told when the person has ended it; absent where it may not be ended from here. */
  readonly onEnded?: ((view: JobView) => void) | undefined;
}

/** Who was paid for what: one receipt for each tab that worked, signed by both sides and in the relay's log. */
export function JobReceipts({
  job,
  leases,
  relay,
  memory,
  testMoney,
  onEnded,
}: JobReceiptsProps): JSX.Element {
  const checks = useMemo(() => createJobReceipts(relay, memory), [relay, memory]);
  const account = useMemo(() => createJobAccount(relay, memory, job), [relay, memory, job]);
  useEffect(() => void account.look(), [account]);
  const view = valueOf(account.view.value);
  const known = leases.length > 0 || view === undefined ? leases : leasesAt(view);
  return (
    <div class="job-receipts">
      <p class="hint">
        Job <span class="code">{shortCid(job)}</span>
        {known.length === 0
          ? ": no tab was paid for it, so there is no receipt."
          : ": one receipt for each tab that worked. Both of you signed it, and the relay’s log has it."}
      </p>
      <ul class="receipts">
        {known.map((lease) => (
          <Receipt key={lease.lease} lease={lease} checks={checks} testMoney={testMoney} />
        ))}
      </ul>
      <JobAccount account={account} testMoney={testMoney} onEnded={onEnded} />
    </div>
  );
}

interface ReceiptProps {
  readonly lease: RecentLease;
  readonly checks: JobReceiptChecks;
  readonly testMoney: boolean;
}

function Receipt({ lease, checks, testMoney }: ReceiptProps): JSX.Element {
  const { provider, tasks, amount, entryIndex } = lease;
  const state = checks.states.value.get(lease.lease);
  const isDone = state?.kind === "done";
  return (
    <li class="receipt">
      <div class="job-receipt-line">
        <span class="receipt-amount">
          <Amount value={amount} testMoney={testMoney} />
        </span>
        <span class="receipt-what">
          <span>{counted(tasks, "task")}</span>
          <span title={provider}>
            by <span class="code">{shortPeer(provider)}</span>
          </span>
          <span>{entryIndex === undefined ? "" : `entry ${countText(entryIndex)}`}</span>
        </span>
        <span class="button-row">
          <button
            class="button button-quiet button-small"
            type="button"
            aria-expanded={isDone}
            disabled={state?.kind === "running"}
            onClick={() => (isDone ? checks.hide(lease) : void checks.verify(lease))}
          >
            {state?.kind === "running" ? "Checking…" : isDone ? "Hide" : "Verify"}
          </button>
          {entryIndex !== undefined && <Proof lease={lease} checks={checks} />}
        </span>
      </div>
      <div role="status">{state !== undefined && <Outcome state={state} />}</div>
    </li>
  );
}

function Proof({ lease, checks }: Pick<ReceiptProps, "lease" | "checks">): JSX.Element {
  const isFailed = useSignal(false);
  const save = async (): Promise<void> => {
    isFailed.value = false;
    try {
      saveFile(`entry-${lease.entryIndex ?? 0}.tlog-proof`, new Blob([await checks.proof(lease)]));
    } catch {
      isFailed.value = true;
    }
  };
  return (
    <button class="button button-quiet button-small" type="button" onClick={() => void save()}>
      {isFailed.value ? "Not reached, try again" : "Save proof"}
    </button>
  );
}

const PAYER_TITLES: ReadonlyMap<VerificationCheck["name"], string> = new Map([
  ["provider-signature", "Signed by the tab"],
  ["requester-signature", "Signed by you"],
  ["provider", "The tab named here"],
]);

/** The checks speak to whoever was paid; here reads who has paid. */
function titleOf(name: VerificationCheck["name"]): string {
  return PAYER_TITLES.get(name) ?? checkTitle(name);
}

function Outcome({ state }: { readonly state: ReceiptCheck }): JSX.Element | null {
  if (state.kind === "running") return <p class="aside">Checking</p>;
  if (state.kind === "failed")
    return <FailureNotice title="The receipt could not be checked" failure={state.failure} />;
  const { tone, title, sentence } = verdictWords(state.verification);
  return (
    <div class={`verdict verdict-${tone}`}>
      <p class="verdict-title">
        <strong>{title}.</strong> {sentence}
      </p>
      <ul class="checks">
        {state.verification.checks.map(({ name, ok, detail }) => (
          <li key={name} class={ok ? "check job-check-line" : "check job-check-line check-line-bad"}>
            <span aria-label={ok ? "Passed" : "Failed"} role="img" class="job-mark">
              {ok ? "✓" : "✗"}
            </span>
            <span class="check-name">{titleOf(name)}</span>
            <span class="check-detail">{asSentence(detail)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
