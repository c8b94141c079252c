import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useId } from "preact/hooks";
import type { EffectGrants } from "../../protocol/effect-grants.ts";
// oxlint-disable-next-line import/no-unassigned-import -- styles, which come with the panel
import "../styles/limits.css";
// oxlint-disable-next-line import/no-unassigned-import -- likewise
import "../styles/grants.css";
import { chainLines, grantsSummary, readChains, type ReadLines, readOrigins } from "../words/grants-words.ts";

export interface GrantsPanelProps {
  readonly grants: EffectGrants;
  readonly onChange: (grants: EffectGrants) => void;
}

type Fetching = "none" | "named" | "public";

const FETCHING = [
  ["none", "None"],
  ["public", "Any public one"],
  ["named", "Only these"],
] as const;

/** What programs of others may have this tab do besides computing, each a choice of the person's. */
export function GrantsPanel({ grants, onChange }: GrantsPanelProps): JSX.Element {
  const { timeAndRandom, fetch: fetched, chains } = grants;
  const fetching: Fetching = typeof fetched === "string" ? fetched : "named";
  const timeId = useId();
  return (
    <div class="limits-list grants">
      <p class="hint" aria-live="polite">
        {grantsSummary(grants)}
      </p>
      <div class="limit-check">
        <input
          id={timeId}
          type="checkbox"
          checked={timeAndRandom}
          aria-describedby={`${timeId}-note`}
          onChange={({ currentTarget }) => onChange({ ...grants, timeAndRandom: currentTarget.checked })}
        />
        <label for={timeId}>Tell the time and draw random numbers</label>
        <p class="hint" id={`${timeId}-note`}>
          Reaches nothing outside of this tab.
        </p>
      </div>
      <fieldset>
        <legend>Web servers it may ask for others</legend>
        {FETCHING.map(([each, label]) => (
          <label key={each} class="limit-check">
            <input
              type="radio"
              name="grants-fetch"
              checked={fetching === each}
              onChange={() => onChange({ ...grants, fetch: each === "named" ? [] : each })}
            />
            <span>{label}</span>
          </label>
        ))}
        {fetching === "named" && typeof fetched !== "string" && (
          <Lines
            label="Servers, one a line"
            text={fetched.join("\n")}
            example="https://example.org"
            what="a server’s address, as in https://example.org"
            read={readOrigins}
            onRead={(origins) => onChange({ ...grants, fetch: origins })}
          />
        )}
        <p class="hint">
          {fetching === "none"
            ? "Programs of others fetch nothing through your connection."
            : "These servers see your internet address, as if you had opened them. They never get your cookies or passwords, and nothing in your home network is asked by its address."}
        </p>
      </fieldset>
      <details class="grants-more" open={Object.keys(chains).length > 0}>
        <summary>Read blockchains</summary>
        <Lines
          label="Chains and the nodes to read them through, one a line"
          text={chainLines(chains)}
          example="eip155:1 https://node.example"
          what="a chain and its node, as in eip155:1 https://node.example"
          read={readChains}
          onRead={(read) => onChange({ ...grants, chains: read })}
        />
        <p class="hint">
          Others never see the node’s address. Reading is all they can do: no key is involved.
        </p>
      </details>
    </div>
  );
}

interface LinesProps<T> {
  readonly label: string;
  readonly text: string;
  readonly example: string;
  /** Completes the sentence "This line is not …". */
  readonly what: string;
  readonly read: (text: string) => ReadLines<T>;
  readonly onRead: (read: T) => void;
}

/** Taken when the person is done with it: half a line grants nothing. */
function Lines<T>({ label, text, example, what, read, onRead }: LinesProps<T>): JSX.Element {
  const id = useId();
  const odd = useSignal<string | undefined>(undefined);
  return (
    <div class="grants-lines">
      <label for={id}>{label}</label>
      <textarea
        id={id}
        rows={3}
        spellcheck={false}
        autocapitalize="off"
        placeholder={example}
        aria-describedby={`${id}-odd`}
        aria-invalid={odd.value !== undefined}
        onChange={({ currentTarget }) => {
          const lines = read(currentTarget.value);
          odd.value = lines.odd;
          onRead(lines.read);
        }}
      >
        {text}
      </textarea>
      <p class="hint grants-odd" id={`${id}-odd`} role="status">
        {odd.value === undefined ? "" : `“${odd.value}” is not ${what}, so it counts for nothing.`}
      </p>
    </div>
  );
}
