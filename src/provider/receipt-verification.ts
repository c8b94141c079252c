import { ForgedCheckpointError } from "../ledger/log-view.ts";
import { contactRelay, type RelayContact } from "../ledger/relay-contact.ts";
import { checkReceiptEntry, type ReceiptCheckName, type ReceiptStatement } from "../ledger/receipt-check.ts";
import { createRelayClient, type RelayClient } from "../mesh/relay-client.ts";
import { verifierOf } from "../protocol/ed25519.ts";
import { failureCode } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { ReceiptView } from "../protocol/relay-api.ts";
import { writeTlogProof } from "../protocol/tlog-proof.ts";
import type { BrowserStore } from "../storage/browser-store.ts";

/**
 * `proven`: every check passed. `refuted`: what the relay serves contradicts a signature, the log or itself.
 * `unreached`: the relay did not answer, so nothing is known either way.
 */
export type Verdict = "proven" | "refuted" | "unreached";

/** One check as a person sees it, in the order they were made. */
export interface VerificationCheck {
  readonly name: "relay-answers" | "pinned-key" | "consistency" | ReceiptCheckName | "as-shown";
  readonly ok: boolean;
  /** A sentence: what was found, or what is wrong. */
  readonly detail: string;
}

export interface Verification {
  readonly verdict: Verdict;
  readonly checks: readonly VerificationCheck[];
  /** What convicts the relay before anybody, where it contradicts itself; see ledger/evidence.ts. */
  readonly evidence?: Uint8Array<ArrayBuffer>;
  /** Of a receipt that is proven: what proves it to anybody, offline. */
  readonly proof?: ReceiptProof;
}

/** A file that `tabmesh verify` judges by itself and the log's key. */
export interface ReceiptProof {
  /** C2SP tlog-proof with the entry in it. */
  readonly text: string;
  readonly logKey: PeerId;
}

/** Checks receipts in the page, against the relay's key as it was at first contact. */
export interface ReceiptVerification {
  /** Never throws for what the relay serves or fails to serve. @param account whose receipt it must be. */
  verify(view: ReceiptView, account: PeerId): Promise<Verification>;
}

/** Failures that say that the relay was not reached, rather than that it served something wrong. */
const UNREACHED: ReadonlySet<number> = new Set(
  (["disconnected", "timed-out", "unreachable", "rate-limited", "relay-fault"] as const).map(failureCode),
);

const FORGED = failureCode("forged-checkpoint");

const verify = verifierOf(crypto.subtle);

export function createReceiptVerification(relayUrl: string, store: BrowserStore): ReceiptVerification {
  const client = createRelayClient({ baseUrl: relayUrl, fetch: (input, init) => fetch(input, init) });
  let contact: Promise<RelayContact> | undefined;
  const meet = async (): Promise<RelayContact> => {
    contact ??= contactRelay(client, store.relays, verify, Date.now());
    try {
      return await contact;
    } catch (error) {
      contact = undefined;
      throw error;
    }
  };
  return {
    async verify(view, account) {
      const checks: VerificationCheck[] = [];
      try {
        const met = await meet();
        const detail = "The relay's keys are those of your first contact, or ones that those approved.";
        checks.push({ name: "pinned-key", ok: true, detail }, grownCheck(await met.log.refresh()));
        return await checkShown(client, met, { view, account, checks });
      } catch (error) {
        if (!(error instanceof FailureError)) throw error;
        checks.push({ name: failedCheck(error, checks), ok: false, detail: error.detail });
        return {
          verdict: UNREACHED.has(error.code) ? "unreached" : "refuted",
          checks,
          ...(error instanceof ForgedCheckpointError ? { evidence: error.file } : {}),
        };
      }
    },
  };
}

function failedCheck(
  { code }: FailureError,
  passed: readonly VerificationCheck[],
): VerificationCheck["name"] {
  if (code !== FORGED) return "relay-answers";
  return passed.some(({ name }) => name === "pinned-key") ? "consistency" : "pinned-key";
}

/** The view of the log refuses a head that is not proven to extend the one it believed before. */
function grownCheck({ size }: { readonly size: number }): VerificationCheck {
  const detail = `Proven to hold, unchanged, what this browser saw of it before; it has ${size.toLocaleString("en")} entries now.`;
  return { name: "consistency", ok: true, detail };
}

interface ShownReceipt {
  readonly view: ReceiptView;
  readonly account: PeerId;
  readonly checks: readonly VerificationCheck[];
}

async function checkShown(
  client: RelayClient,
  contact: RelayContact,
  shown: ShownReceipt,
): Promise<Verification> {
  const { view, account } = shown;
  const [entryBytes, inclusion] = await Promise.all([
    client.entry(view.entryIndex),
    client.inclusion(view.entryIndex),
  ]);
  const result = await checkReceiptEntry({
    entryBytes,
    inclusion,
    logView: contact.log,
    verify,
    expectations: { provider: account, asset: contact.info.asset },
  });
  const checks: VerificationCheck[] = [...shown.checks, ...result.checks];
  if (result.statement !== undefined) checks.push(shownCheck(view, result.statement));
  if (result.ok && checks.every(({ ok }) => ok)) {
    const text = writeTlogProof({ ...inclusion, entry: entryBytes });
    return { verdict: "proven", checks, proof: { text, logKey: contact.log.key() } };
  }
  const failed = result.checks.filter(({ ok }) => !ok);
  const isUnreached =
    failed.length > 0 && failed.every(({ code }) => code !== undefined && UNREACHED.has(code));
  return { verdict: isUnreached ? "unreached" : "refuted", checks };
}

/** Every field of the list that the receipt speaks of. Whether it is settled is the relay's own statement. */
function shownCheck(view: ReceiptView, { index, time, receipt }: ReceiptStatement): VerificationCheck {
  const pairs = [
    ["place in the log", view.entryIndex, index],
    ["time", view.time, time],
    ["lease", view.lease, receipt.lease],
    ["job", view.job, receipt.job],
    ["function", view.workCid, receipt.workCid],
    ["requester", view.requester, receipt.requester],
    ["number of tasks", view.count, receipt.count],
    ["number of paid tasks", view.payable, receipt.payable],
    ["fuel", view.fuel, receipt.fuel],
    ["amount", view.amount, receipt.amount],
    ["final mark", view.final, receipt.final],
  ] as const;
  const wrong = pairs.filter(([, listed, signed]) => listed !== signed).map(([field]) => field);
  return wrong.length === 0
    ? { name: "as-shown", ok: true, detail: "The list above shows what was signed." }
    : { name: "as-shown", ok: false, detail: `The list differs from what was signed: ${wrong.join(", ")}.` };
}
