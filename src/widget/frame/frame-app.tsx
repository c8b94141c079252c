import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { microCredits } from "../../protocol/units.ts";
import { EMBED_CPU_PERCENT } from "../limits.ts";
import { Mark } from "../mark.tsx";
import { fill } from "../words/fill.ts";
import type { Tongue } from "../words/load-words.ts";
import { amountText, durationText, shareText, siteText, splitText, timeText } from "../words/say.ts";
import type { FrameState, FrameView } from "./frame-state.ts";
import { RunningNow } from "./running-now.tsx";

const TONES: Readonly<Record<FrameView["phase"], string>> = {
  starting: "start",
  waiting: "ready",
  working: "work",
  paused: "wait",
  reconnecting: "wait",
  elsewhere: "wait",
  stopping: "rest",
  stopped: "rest",
  ended: "rest",
  unable: "alarm",
  failed: "alarm",
};

const isOpen = signal(false);

function phaseText({ words }: Tongue, { phase, pause }: FrameView): string {
  if (phase === "paused") return words.pauses[pause ?? "calming"];
  return words.phases[phase === "ended" ? "stopped" : phase];
}

export interface FrameAppProps {
  readonly tongue: Tongue;
  readonly frame: FrameState;
  readonly testMoney: boolean;
}

/** What a visitor sees of the work in a page: that it runs, since when, for whom, and how to end it. */
export function FrameApp({ tongue, frame, testMoney }: FrameAppProps): JSX.Element {
  const { frame: words } = tongue.words;
  const view = frame.view.value;
  const { phase, activeMs, until, state, detail } = view;
  const host = siteText(frame.site.page);
  const isOff = phase === "stopped" || phase === "unable" || phase === "ended" || phase === "failed";
  return (
    <main class="frame" aria-label="Tabmesh" data-tone={TONES[phase]}>
      <header class="frame-head">
        <Mark />
        <p class="frame-phase" role="status">
          {phaseText(tongue, view)}
        </p>
        {isOff ? (
          <button
            class="button"
            type="button"
            // A press that the page has stolen, by something laid over this frame, starts nothing.
            onClick={() => frame.isSeen.value && void frame.start()}
          >
            {words.goOn}
          </button>
        ) : (
          <button class="button" type="button" onClick={() => void frame.stop()}>
            {words.stop}
          </button>
        )}
      </header>
      <p class="frame-figures">
        <span class="frame-label">{words.contributed}</span>
        <b>{durationText(tongue, activeMs)}</b>
        <b>{amountText(tongue, state?.earned ?? microCredits(0), testMoney)}</b>
      </p>
      <p class="frame-split">{splitText(tongue, host, frame.site.share)}</p>
      {detail === undefined ? null : <p class="frame-detail">{detail}</p>}
      <button
        class="link"
        type="button"
        aria-expanded={isOpen.value}
        aria-controls="running"
        onClick={() => {
          isOpen.value = !isOpen.value;
        }}
      >
        {words.running}
      </button>
      <section id="running" class="frame-more" hidden={!isOpen.value}>
        {isOpen.value ? <RunningNow tongue={tongue} running={state?.running ?? []} /> : null}
        <ul class="frame-facts">
          <li>{fill(words.limit, { percent: shareText(tongue, EMBED_CPU_PERCENT * 10_000) })}</li>
          <li>{fill(words.until, { time: timeText(tongue, until) })}</li>
        </ul>
        <p class="frame-links">
          <button class="link" type="button" onClick={() => void frame.withdraw()}>
            {words.withdraw}
          </button>
          <a
            href={`/embed/consent?site=${frame.site.site}&lang=${tongue.language}`}
            target="_blank"
            rel="noopener"
          >
            {words.share}
          </a>
          <a href="/" target="_blank" rel="noopener">
            {words.more}
          </a>
        </p>
      </section>
    </main>
  );
}
