import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { PublishedModel } from "../../sdk/index.ts";
import type { Question } from "../state/search.ts";
import { counted, countText } from "../words/quantities.ts";
import { linesOf } from "../words/search-words.ts";

/** More would take minutes on one tab, and a list of results that nobody reads. */
const MOST_LINES = 1_000;

const EXAMPLE = {
  query: "How do I get my money back?",
  lines: [
    "Returns are accepted within 30 days of delivery.",
    "Our office is closed on public holidays.",
    "You can change your password in the settings.",
    "We refund the full price if an item arrives broken.",
    "Parcels leave the warehouse every weekday at noon.",
    "Write to us if you want to work here.",
    "The battery lasts about ten hours.",
    "Payments are charged when the order ships.",
  ],
} as const;

export interface SearchFormProps {
  readonly models: readonly PublishedModel[];
  readonly isBusy: boolean;
  readonly onSearch: (question: Question) => void;
  readonly onCancel: () => void;
}

export function SearchForm({ models, isBusy, onSearch, onCancel }: SearchFormProps): JSX.Element {
  const text = useSignal("");
  const query = useSignal("");
  const model = useSignal(models[0]?.name ?? "");
  const lines = linesOf(text.value);
  const isTooLong = lines.length > MOST_LINES;
  const submit = (event: Event): void => {
    event.preventDefault();
    if (isBusy || isTooLong || lines.length === 0 || query.value.trim() === "") return;
    onSearch({ lines, query: query.value.trim(), model: model.value });
  };
  const cancel = (event: Event): void => {
    // Before the click is over this button has become the one that submits; it stays, and so does the focus.
    event.preventDefault();
    onCancel();
  };
  const showExample = (): void => {
    text.value = EXAMPLE.lines.join("\n");
    query.value = EXAMPLE.query;
  };
  return (
    <form class="card search-form" onSubmit={submit} aria-label="Search">
      <div class="field">
        <div class="field-head">
          <label for="search-lines">Lines to search</label>
          <button class="link" type="button" onClick={showExample} disabled={isBusy}>
            Fill in an example
          </button>
        </div>
        <textarea
          id="search-lines"
          rows={9}
          required
          spellcheck={false}
          placeholder="One text per line"
          aria-describedby="search-count"
          value={text.value}
          onInput={(event) => (text.value = event.currentTarget.value)}
        />
        <p class={isTooLong ? "hint hint-alarm" : "hint"} id="search-count" role="status">
          {isTooLong
            ? `${counted(lines.length, "line")}, at most ${countText(MOST_LINES)} at once.`
            : lines.length === 0
              ? "Empty lines are left out."
              : counted(lines.length, "line")}
        </p>
      </div>
      <div class="field">
        <label for="search-query">Looking for</label>
        <input
          id="search-query"
          type="text"
          required
          autocomplete="off"
          placeholder="A question or a few words"
          value={query.value}
          onInput={(event) => (query.value = event.currentTarget.value)}
        />
      </div>
      {models.length > 1 && (
        <div class="field">
          <label for="search-model">Model</label>
          <select
            id="search-model"
            value={model.value}
            onChange={(event) => (model.value = event.currentTarget.value)}
          >
            {models.map(({ name }) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </div>
      )}
      <div class="search-actions">
        {isBusy ? (
          <button class="button button-quiet" type="button" onClick={cancel}>
            Cancel
          </button>
        ) : (
          <button class="button" type="submit" disabled={isTooLong}>
            Search
          </button>
        )}
        <p class="hint">The tabs that compute this can read it. Send nothing that a stranger must not see.</p>
      </div>
    </form>
  );
}
