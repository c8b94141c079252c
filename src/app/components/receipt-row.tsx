import type { JSX, RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { ReceiptView } from "../../protocol/relay-api.ts";
import type { VerificationState } from "../state/verifications.ts";
import { fullTimeText, logTimeText } from "../words/log-time.ts";
import { PAY_STATE_WORDS, payStateOf } from "../words/pay-states.ts";
import { countText, counted, scaledText } from "../words/quantities.ts";
import { shortCid, shortPeer } from "../words/short-id.ts";
import { Amount } from "./amount.tsx";
import { ReceiptOutcome } from "./receipt-outcome.tsx";

export interface ReceiptRowProps {
  readonly view: ReceiptView;
  /** Name of the function, where it has one. */
  readonly name: string | undefined;
  readonly state: VerificationState | undefined;
  /** Place in the list from 0 on, and how long that is as far as it is known. */
  readonly index: number;
  readonly length: number;
  readonly testMoney: boolean;
  readonly onVerify: () => void;
  readonly onHide: () => void;
  /** Told the height of what stands below the line, in CSS pixels, whenever it changes. */
  readonly onGrow: (px: number) => void;
}

const CHIPS = {
  pending: "chip",
  held: "chip chip-wait",
  free: "chip chip-good",
  lost: "chip chip-bad",
} as const;

export function ReceiptRow(props: ReceiptRowProps): JSX.Element {
  const { view, name, state, index, length, testMoney, onVerify, onGrow } = props;
  const below = useHeight(onGrow, state !== undefined);
  const pay = payStateOf(view);
  useAppearance(below, state?.kind);
  return (
    <li class="receipt" aria-posinset={index + 1} aria-setsize={length}>
      <div class="receipt-line">
        <p class="receipt-amount">
          <Amount value={view.amount} testMoney={testMoney} />
          <span class={CHIPS[pay]} title={PAY_STATE_WORDS[pay].means}>
            {PAY_STATE_WORDS[pay].name}
          </span>
        </p>
        <p class="receipt-what">
          <span>
            {counted(view.count, "task")}
            {view.payable < view.count && `, ${countText(view.payable)} paid`}
          </span>
          <span title={view.workCid}>
            {name ?? (
              <>
                function <span class="code">{shortCid(view.workCid)}</span>
              </>
            )}
          </span>
          <span title={view.requester}>
            for <span class="code">{shortPeer(view.requester)}</span>
          </span>
          <span>{scaledText(Number(view.fuel))} fuel</span>
        </p>
        <p class="receipt-when">
          <time dateTime={new Date(view.time).toISOString()} title={fullTimeText(view.time)}>
            {logTimeText(view.time, Date.now())}
          </time>
          <span class="receipt-index">entry {countText(view.entryIndex)}</span>
        </p>
        <VerifyButton {...props} />
      </div>
      <div class="receipt-below" role="status" ref={below}>
        {state !== undefined && <ReceiptOutcome state={state} onVerify={onVerify} />}
      </div>
    </li>
  );
}

/** Tells the height of an element whenever it changes while it `isShown`, and none when it is not. */
function useHeight(onGrow: (px: number) => void, isShown: boolean): RefObject<HTMLDivElement | null> {
  const below = useRef<HTMLDivElement>(null);
  const tell = useRef(onGrow);
  tell.current = onGrow;
  useLayoutEffect(() => {
    const element = below.current;
    if (!isShown || element === null) {
      tell.current(0);
      return undefined;
    }
    const sizes = new ResizeObserver(() => tell.current(element.offsetHeight));
    sizes.observe(element);
    tell.current(element.offsetHeight);
    return () => sizes.disconnect();
  }, [isShown]);
  return below;
}

/** What was asked for comes into sight when it is there. */
function useAppearance(
  below: RefObject<HTMLDivElement | null>,
  kind: VerificationState["kind"] | undefined,
): void {
  const before = useRef(kind);
  useEffect(() => {
    if (before.current === "running" && kind === "done") below.current?.scrollIntoView({ block: "nearest" });
    before.current = kind;
  }, [kind]);
}

function VerifyButton({ view, state, onVerify, onHide }: ReceiptRowProps): JSX.Element {
  const isDone = state?.kind === "done";
  return (
    <button
      class="button button-quiet button-small receipt-verify"
      type="button"
      aria-expanded={isDone}
      aria-label={`${isDone ? "Hide the checks of" : "Verify"} entry ${view.entryIndex}`}
      disabled={state?.kind === "running"}
      onClick={isDone ? onHide : onVerify}
    >
      {buttonWord(state)}
    </button>
  );
}

function buttonWord(state: VerificationState | undefined): string {
  if (state?.kind === "running") return "Checking…";
  return state?.kind === "done" ? "Hide" : "Verify";
}
