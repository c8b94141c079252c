import type { ReadonlySignal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useRef } from "preact/hooks";
import { Mark } from "../mark.tsx";
import { fill } from "../words/fill.ts";
import type { Tongue } from "../words/load-words.ts";
import { siteText, splitText, timeText } from "../words/say.ts";
import type { ConsentState, ConsentView } from "./consent-state.ts";
import { YourShare } from "./your-share.tsx";

export interface ConsentAppProps {
  readonly tongue: Tongue;
  readonly consent: ConsentState;
  readonly testMoney: boolean;
  /** Whether a click counts; see watch-armed.ts. */
  readonly armed: ReadonlySignal<boolean>;
}

/** A page of this window: who asks, then whatever there is to say. */
export function ConsentPage({
  title,
  children,
}: {
  title: string;
  children: ComponentChildren;
}): JSX.Element {
  return (
    <main class="consent">
      <header class="consent-head">
        <Mark />
        <span>Tabmesh · {location.host}</span>
      </header>
      <h1 tabIndex={-1}>{title}</h1>
      {children}
    </main>
  );
}

function Terms({ tongue, consent, testMoney }: ConsentAppProps): JSX.Element {
  const { consent: words } = tongue.words;
  const split = splitText(tongue, siteText(consent.site.page), consent.site.share);
  const terms = [
    [words.gets, testMoney ? `${split} ${words.testText}` : split],
    [words.runs, words.runsText],
    [words.takes, words.takesText],
    [words.sees, words.seesText],
    [words.long, words.longText],
  ];
  return (
    <dl class="terms">
      {terms.map(([term, text]) => (
        <div key={term}>
          <dt>{term}</dt>
          <dd>{text}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A button that a click counts on only if it began and ended while the window was in front. */
function ArmedButton({
  armed,
  label,
  waiting,
  onPress,
}: {
  armed: ReadonlySignal<boolean>;
  label: string;
  waiting: string;
  onPress: () => void;
}): JSX.Element {
  const began = useRef(false);
  const begin = (): void => {
    began.current = armed.value;
  };
  return (
    <button
      class="button"
      type="button"
      disabled={!armed.value}
      onPointerDown={begin}
      onKeyDown={begin}
      onClick={({ isTrusted }) => {
        if (isTrusted && armed.value && began.current) onPress();
        began.current = false;
      }}
    >
      {armed.value ? label : waiting}
    </button>
  );
}

function Answer({ tongue, consent, armed }: ConsentAppProps): JSX.Element | null {
  const { consent: words } = tongue.words;
  const { until, step } = consent.view.value;
  const site = siteText(consent.site.page);
  const isAgreed = until !== undefined;
  if (consent.site.state === "closed") return <p class="notice">{fill(words.closed, { site })}</p>;
  // Whoever looks after a consent, or has just taken it back, is not told how to begin.
  if (consent.page === undefined && (isAgreed || step !== "asking")) return null;
  if (consent.page === undefined)
    return (
      <>
        <p class="notice">{fill(words.alone, { site })}</p>
        <p>
          <a href="/">{words.app}</a>
        </p>
      </>
    );
  return (
    <p class="answers">
      <ArmedButton
        armed={armed}
        label={isAgreed ? words.goOn : words.agree}
        waiting={words.moment}
        onPress={() => void consent.agree()}
      />
      <button class="button button-quiet" type="button" onClick={() => globalThis.close()}>
        {words.decline}
      </button>
    </p>
  );
}

function noticeOf(
  { tongue, consent }: ConsentAppProps,
  { step, cause = "" }: ConsentView,
): string | undefined {
  const { consent: words } = tongue.words;
  const site = siteText(consent.site.page);
  switch (step) {
    case "asking":
      return undefined;
    case "joining":
      return words.joining;
    case "done":
      return words.done;
    case "silent":
      return fill(words.silent, { site });
    case "failed":
      return fill(words.failed, { cause });
    case "withdrawn":
      return words.withdrawn;
    case "moved":
      return words.moved;
    default:
      return step satisfies never;
  }
}

/** What a person is asked, and can take back, about one site. */
export function ConsentApp(props: ConsentAppProps): JSX.Element {
  const { tongue, consent } = props;
  const { consent: words } = tongue.words;
  const view = consent.view.value;
  const { step, until } = view;
  const notice = noticeOf(props, view);
  const isAlarm = step === "silent" || step === "failed";
  return (
    <ConsentPage title={fill(words.asks, { site: siteText(consent.site.page) })}>
      <Terms {...props} />
      {until === undefined || step === "joining" ? null : (
        <p class="agreed">
          {fill(words.agreedUntil, { time: timeText(tongue, until) })}{" "}
          <button class="link" type="button" onClick={() => void consent.withdraw()}>
            {words.withdraw}
          </button>
        </p>
      )}
      <p role="status" class={notice === undefined ? "quiet" : isAlarm ? "notice notice-alarm" : "notice"}>
        {notice}
      </p>
      {step === "done" || step === "joining" ? null : <Answer {...props} />}
      <YourShare {...props} />
    </ConsentPage>
  );
}
