import type { JSX } from "preact";
import type { RunningTask } from "../../provider/provider-state.ts";
import { fill } from "../words/fill.ts";
import type { Tongue } from "../words/load-words.ts";
import { durationText } from "../words/say.ts";

/** Letters of a program's name that are shown: the last ones, which differ. */
const SHOWN_LETTERS = 10;

export interface RunningNowProps {
  readonly tongue: Tongue;
  readonly running: readonly RunningTask[];
}

/** The programs at work this moment, by the name of their content. */
export function RunningNow({ tongue, running }: RunningNowProps): JSX.Element {
  const { frame: words } = tongue.words;
  return (
    <>
      <ul class="frame-running">
        {running.length === 0 ? <li>{words.nothingRuns}</li> : null}
        {running.map(({ lease, seq, workCid, since }) => (
          <li key={`${lease}/${seq}`} title={workCid}>
            {fill(words.program, {
              name: `…${workCid.slice(-SHOWN_LETTERS)}`,
              time: durationText(tongue, Math.max(0, Date.now() - since)),
            })}
          </li>
        ))}
      </ul>
      <p>{words.sandbox}</p>
    </>
  );
}
