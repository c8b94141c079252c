/**
 * The closed vocabulary of failures. One code crosses worker, wire, log and screen unchanged, because a failure
 * decides who is paid. A code is never renamed or reused.
 *
 * Ranges: 1xxxx the provider's side, 2xxxx network and verification, 3xxxx the function itself, 4xxxx a refused request.
 */

/** Whose fault a failure is. Only the relay's ledger and the audit draw consequences from it. */
export type FaultParty = "requester" | "provider" | "relay" | "nobody";

/**
 * What a task that ended so earns.
 * `fuel`: deterministic, so paid like a success and open to audit (rule 8). `start-fee`: cancelled after it had started.
 * `none`: environmental, or refused before anything ran.
 */
export type PayRule = "fuel" | "start-fee" | "none";

/** What happens to the money reserved for it: back to the requester, kept for the next attempt, or spent. */
export type RefundRule = "refund" | "retry" | "spent";

export interface FailureKind {
  readonly code: number;
  /** Stable name in kebab case, as shown in logs, metrics and JSON. */
  readonly name: string;
  readonly fault: FaultParty;
  readonly pay: PayRule;
  readonly refund: RefundRule;
  /** One sentence for a person: what happened. */
  readonly means: string;
  /** One sentence for a person: what to do about it. */
  readonly advice: string;
}

type Row = readonly [number, string, FaultParty, PayRule, RefundRule, string, string];

// oxfmt-ignore
const ROWS = [
  [10001, "draining", "nobody", "none", "retry", "The provider is stopping and returned the task.", "again"],
  [10002, "declined", "nobody", "none", "retry", "The provider has no free worker or declined the lease.", "again"],
  [10003, "no-memory", "nobody", "none", "retry", "The provider could not reserve the memory the function asks for.", "again"],
  [10004, "underpriced", "nobody", "none", "retry", "The price is below what the provider works for.", "Offer a higher price."],
  [10005, "profile-unsupported", "nobody", "none", "retry", "The provider does not support the sandbox profile of the job.", "again"],
  [10006, "function-unavailable", "requester", "none", "retry", "The provider could not obtain the function.", "Keep the requester connected, or upload the function to the relay."],
  [10007, "worker-lost", "nobody", "none", "retry", "The provider's worker thread ended unexpectedly.", "again"],
  [10008, "consent-missing", "nobody", "none", "retry", "The person at the provider has not consented, or withdrew consent.", "again"],
  [10009, "window-exceeded", "requester", "none", "retry", "The requester sent more unsigned tasks than the lease allows.", "Sign an advance before sending more."],
  [10010, "hidden", "nobody", "none", "retry", "The provider's tab is hidden and pauses there.", "again"],
  [10011, "frozen", "nobody", "none", "retry", "The browser froze the provider's tab.", "again"],
  [10012, "battery", "nobody", "none", "retry", "The provider's battery is low.", "again"],
  [10013, "closed", "nobody", "none", "retry", "The provider's tab was closed.", "again"],
  [10014, "gpu-lost", "nobody", "none", "retry", "The provider's graphics device was lost.", "again"],
  [10015, "not-started", "nobody", "none", "refund", "The task was given back before it started.", "Nothing to do."],
  [10016, "storage-full", "nobody", "none", "retry", "This browser has no room left to keep a key and receipts.", "Free some space on this device, or allow this page to keep more, then try again."],

  [20001, "verification-failed", "provider", "none", "refund", "Recomputation gave another result.", "The task is run again elsewhere; the provider loses its stake."],
  [20002, "heartbeat-lost", "nobody", "none", "retry", "The provider stopped answering.", "again"],
  [20003, "disconnected", "nobody", "none", "retry", "The connection to the peer closed.", "again"],
  [20004, "unreachable", "nobody", "none", "retry", "No direct connection to the peer could be made.", "Allow WebRTC (UDP), or configure a TURN server."],
  [20005, "timed-out", "nobody", "none", "retry", "The peer did not answer in time.", "again"],
  [20006, "malformed-frame", "nobody", "none", "retry", "The peer sent bytes that do not follow the protocol.", "Update both sides to the same protocol version."],
  [20007, "frame-too-large", "nobody", "none", "retry", "The peer sent a frame above the limit.", "Send large data in chunks."],
  [20008, "content-mismatch", "provider", "none", "retry", "Bytes do not hash to the identifier they were sent under.", "again"],
  [20009, "bad-receipt", "provider", "none", "retry", "The receipt does not follow from the outcomes that were sent.", "again"],
  [20010, "unnamed-task", "requester", "none", "refund", "The task is not among those the requester signed for.", "Sign an advance over exactly the tasks that are sent."],
  [20011, "wrong-peer", "nobody", "none", "retry", "The connection is not with the peer that the lease names.", "again"],
  [20012, "equivocation", "nobody", "none", "refund", "A peer signed two statements that contradict each other.", "Both statements are kept as evidence."],
  [20013, "forged-checkpoint", "relay", "none", "refund", "The relay's signed log contradicts itself or its proof does not hold.", "Stop using this relay and keep the evidence."],
  [20014, "version-mismatch", "nobody", "none", "retry", "The peers share no protocol version.", "Update the older side."],
  [20015, "wrong-clock", "nobody", "none", "retry", "This machine's clock disagrees with the relay's, so nothing it signs now would hold.", "Set this machine's date and time, then try again."],

  [30001, "out-of-fuel", "requester", "fuel", "spent", "The function used all the fuel it was given.", "Raise the fuel limit, or give it less work per task."],
  [30002, "out-of-memory", "requester", "fuel", "spent", "The function asked for more memory than its limit.", "Raise the memory limit."],
  [30003, "trap-unreachable", "requester", "fuel", "spent", "The function aborted (unreachable instruction).", "fix-function"],
  [30004, "trap-memory-bounds", "requester", "fuel", "spent", "The function accessed memory out of bounds.", "fix-function"],
  [30005, "trap-integer-overflow", "requester", "fuel", "spent", "The function overflowed an integer operation.", "fix-function"],
  [30006, "trap-divide-by-zero", "requester", "fuel", "spent", "The function divided an integer by zero.", "fix-function"],
  [30007, "trap-invalid-conversion", "requester", "fuel", "spent", "The function converted a float that does not fit.", "fix-function"],
  [30008, "trap-indirect-call", "requester", "fuel", "spent", "The function made an indirect call to a wrong or missing target.", "fix-function"],
  [30009, "trap-table-bounds", "requester", "fuel", "spent", "The function accessed a table out of bounds.", "fix-function"],
  [30010, "stack-overflow", "requester", "fuel", "spent", "The function's calls nested deeper than the limit.", "fix-function"],
  [30011, "deadline", "requester", "none", "refund", "The function ran past its deadline and was stopped.", "Raise the deadline, or give it less work per task."],
  [30012, "bad-output", "requester", "fuel", "spent", "The function returned something its interface does not allow.", "fix-function"],
  [30013, "output-too-large", "requester", "fuel", "spent", "The function wrote more output than its limit.", "Raise the output limit."],
  [30014, "exit-code", "requester", "fuel", "spent", "The program ended with a non-zero exit code.", "Read its standard error; it says why."],
  [30015, "invalid-module", "requester", "none", "refund", "The function is not a valid WASM module of the accepted kind.", "Compile it for WASI preview 1 or for the bytes interface."],
  [30016, "import-refused", "requester", "none", "refund", "The function imports something that is not on the list.", "Remove the import; its name is in the detail."],
  [30017, "export-missing", "requester", "none", "refund", "The function lacks an export that its interface requires.", "Export the entry point named in the job."],
  [30018, "cancelled", "requester", "start-fee", "refund", "The requester cancelled the task.", "Nothing to do."],
  [30019, "effect-refused", "requester", "none", "refund", "The effect asks for something that its capability or the peer does not allow.", "Name the origin, method, namespace or chain in the plan's capability, and choose a place that grants it."],
  [30020, "effect-failed", "nobody", "none", "refund", "The place that the effect asks gave no answer that can be used.", "The detail says what came back; look at that place, or ask through the relay."],
  [30021, "expression-failed", "requester", "none", "refund", "An expression of the plan has no value for what it was given.", "Look at the expression and its inputs; evaluating it again gives the same result."],

  [40001, "bad-signature", "requester", "none", "refund", "The signature does not fit the message and its signer.", "Sign with the key the message names."],
  [40002, "expired", "requester", "none", "refund", "The request's time has passed.", "Sign a new request and send that."],
  [40003, "replayed", "requester", "none", "refund", "The same request was already accepted in another form.", "Use a fresh nonce."],
  [40004, "insufficient-funds", "requester", "none", "refund", "The balance does not cover the price cap.", "Deposit more, or lower the cap."],
  [40005, "no-provider", "nobody", "none", "refund", "No provider fits the job right now.", "The reasons are counted in the detail; wait, pay more, or ask for less."],
  [40006, "malformed", "requester", "none", "refund", "The message does not follow the wire format.", "The detail names the field."],
  [40007, "unknown-lease", "requester", "none", "refund", "The relay knows no such lease.", "Submit the job again."],
  [40008, "wrong-provider", "requester", "none", "refund", "The lease belongs to another provider.", "Use the lease with the provider it names."],
  [40009, "wrong-relay", "requester", "none", "refund", "The message was made for another relay.", "Sign it for this relay's origin."],
  [40010, "wrong-asset", "requester", "none", "refund", "The message is about money this relay does not keep.", "Use the asset the relay announces."],
  [40011, "denied", "requester", "none", "refund", "The operator denies this function or identity.", "Ask the relay's operator."],
  [40012, "rate-limited", "requester", "none", "refund", "Too many requests from this address or identity.", "Wait for the time given, then try again."],
  [40013, "too-large", "requester", "none", "refund", "The request is larger than the limit.", "Send less at once."],
  [40014, "unsupported", "requester", "none", "refund", "The message demands something this side does not know.", "Update the older side."],
  [40015, "stale-receipt", "provider", "none", "retry", "A newer receipt of this lease is already logged.", "Nothing to do: the newer one counts."],
  [40016, "inconsistent-receipt", "provider", "none", "refund", "The receipt does not extend the one logged before it.", "Both are kept as evidence."],
  [40017, "over-budget", "provider", "none", "retry", "The amount exceeds the lease's budget.", "Stop at the budget; the requester can ask for more."],
  [40018, "lease-ended", "nobody", "none", "retry", "The lease has expired or is settled.", "Submit the job again."],
  [40019, "not-found", "requester", "none", "refund", "There is nothing under this identifier.", "Check the identifier."],
  [40020, "profile-refused", "requester", "none", "refund", "The relay does not accept this sandbox profile.", "Use a profile that the relay announces."],
  [40021, "deadline-too-short", "requester", "none", "refund", "The deadline is too short for the fuel limit.", "Raise the deadline or lower the fuel limit."],
  [40022, "overpriced", "requester", "none", "refund", "The tariff is above what the job allows.", "Raise the job's highest tariff."],
  [40023, "key-revoked", "requester", "none", "refund", "The signing key was revoked.", "Start a new session."],
  [40024, "relay-fault", "relay", "none", "refund", "The relay failed while handling the request.", "Try again; the request is safe to repeat."],
  [40025, "run-over", "requester", "none", "refund", "The run has ended.", "Start a new run."],
  [40026, "step-held", "nobody", "none", "retry", "Another coordinator carries this step out.", "Wait for its result."],
  [40027, "plan-refused", "requester", "none", "refund", "The plan does not follow the rules of plans.", "The detail names the place in it."],
] as const;

const TABLE: readonly Row[] = ROWS;

/** Advice that many rows share. */
const SHARED_ADVICE: Readonly<Record<string, string>> = {
  again: "Nothing to do: the task is given to another provider.",
  "fix-function": "Look at the function and its input; running it again gives the same result.",
};

/** Every code there is, as a closed union. */
export type FailureCode = (typeof ROWS)[number][0];
export type FailureName = (typeof ROWS)[number][1];

const BY_CODE: ReadonlyMap<number, FailureKind> = new Map(
  TABLE.map(([code, name, fault, pay, refund, means, advice]) => [
    code,
    { code, name, fault, pay, refund, means, advice: SHARED_ADVICE[advice] ?? advice },
  ]),
);
const BY_NAME: ReadonlyMap<string, FailureCode> = new Map(ROWS.map(([code, name]) => [name, code]));

/** All kinds in order of their code, for tables and documents. */
export const FAILURE_KINDS: readonly FailureKind[] = [...BY_CODE.values()];

export function isFailureCode(value: number): value is FailureCode {
  return BY_CODE.has(value);
}

/** The code of a name. The name is checked by the compiler, so this cannot fail. */
export function failureCode(name: FailureName): FailureCode {
  const code = BY_NAME.get(name);
  if (code === undefined) throw new RangeError(`unknown failure name ${name}`);
  return code;
}

export function failureKind(code: FailureCode): FailureKind {
  const kind = BY_CODE.get(code);
  if (kind === undefined) throw new RangeError(`unknown failure code ${code}`);
  return kind;
}
