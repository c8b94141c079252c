import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { isCid } from "../../protocol/cid.ts";
import { MAX_SEARCH_LENGTH, PAY_STATES, type ReceiptFilter } from "../../protocol/earnings-json.ts";
import type { Earnings } from "../state/earnings.ts";
import type { Names } from "../state/names.ts";
import { PAY_STATE_WORDS } from "../words/pay-states.ts";
import { shortName } from "../words/short-id.ts";

export interface ReceiptFiltersProps {
  readonly earnings: Earnings;
  readonly names: Names;
}

const HOUR_MS: number = 60 * 60 * 1_000;
const PERIODS: readonly (readonly [hours: number, label: string])[] = [
  [24, "Last 24 hours"],
  [7 * 24, "Last 7 days"],
  [30 * 24, "Last 30 days"],
];
/** Who types a whole word is not answered for each letter. */
const TYPING_PAUSE_MS = 300;

/** The filter with one part set, or taken away where the value is empty. */
function changed(
  filter: ReceiptFilter,
  part: keyof ReceiptFilter,
  value: ReceiptFilter[keyof ReceiptFilter],
): ReceiptFilter {
  const { [part]: _before, ...rest } = filter;
  return value === undefined ? rest : { ...rest, [part]: value };
}

export function ReceiptFilters({ earnings, names }: ReceiptFiltersProps): JSX.Element {
  const { rows } = earnings;
  const filter = rows.filter.value;
  const set = (part: keyof ReceiptFilter, value: ReceiptFilter[keyof ReceiptFilter]): void =>
    rows.setFilter(changed(rows.filter.value, part, value));
  return (
    <form class="filters" role="search" aria-label="Receipts" onSubmit={(event) => event.preventDefault()}>
      <SearchField text={filter.text} onSearch={(text) => set("text", text)} />
      <label class="filter">
        <span>State</span>
        <select
          value={filter.state ?? ""}
          onChange={({ currentTarget }) =>
            set(
              "state",
              PAY_STATES.find((each) => each === currentTarget.value),
            )
          }
        >
          <option value="">Any</option>
          {PAY_STATES.map((each) => (
            <option key={each} value={each}>
              {PAY_STATE_WORDS[each].name}
            </option>
          ))}
        </select>
      </label>
      <FunctionField earnings={earnings} names={names} onPick={(work) => set("work", work)} />
      <PeriodField from={filter.from} onPick={(from) => set("from", from)} />
      {Object.keys(filter).length > 0 && (
        <button class="link filters-clear" type="button" onClick={() => rows.setFilter({})}>
          Clear
        </button>
      )}
    </form>
  );
}

function SearchField({
  text,
  onSearch,
}: {
  readonly text: string | undefined;
  readonly onSearch: (text: string | undefined) => void;
}): JSX.Element {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    // Cleared from outside.
    if (text === undefined && input.current !== null && document.activeElement !== input.current)
      input.current.value = "";
  }, [text]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const search = (value: string): void => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => onSearch(value === "" ? undefined : value), TYPING_PAUSE_MS);
  };
  return (
    <label class="filter filter-wide">
      <span>Search</span>
      <input
        ref={input}

        type="search"
        maxLength={MAX_SEARCH_LENGTH}
        placeholder="entry number, or part of an id"
        spellcheck={false}
        autocomplete="off"
        onInput={({ currentTarget }) => search(currentTarget.value.trim().replaceAll(/(?<=\d),(?=\d)/gu, ""))}
      />
    </label>
  );
}

interface FunctionFieldProps extends ReceiptFiltersProps {
  readonly onPick: (work: ReceiptFilter["work"]) => void;
}

function FunctionField({ earnings, names, onPick }: FunctionFieldProps): JSX.Element | null {
  const { work } = earnings.rows.filter.value;
  const functions = earnings.functions.value;
  useEffect(() => names.want("function", functions), [names, functions]);
  const listed = work === undefined || functions.includes(work) ? functions : [work, ...functions];
  if (listed.length < 2 && work === undefined) return null;
  return (
    <label class="filter">
      <span>Function</span>
      <select
        value={work ?? ""}
        onChange={({ currentTarget: { value } }) => onPick(isCid(value) ? value : undefined)}
      >
        <option value="">Any</option>
        {listed.map((each) => (
          <option key={each} value={each}>
            {names.known.value.get(each) ?? shortName(each)}
          </option>
        ))}
      </select>
    </label>
  );
}

function PeriodField({
  from,
  onPick,
}: {
  readonly from: number | undefined;
  readonly onPick: (from: number | undefined) => void;
}): JSX.Element {
  const chosen = useRef("");
  if (from === undefined) chosen.current = "";
  return (
    <label class="filter">
      <span>When</span>
      <select
        value={chosen.current}
        onChange={({ currentTarget: { value } }) => {
          chosen.current = value;
          onPick(value === "" ? undefined : Date.now() - Number(value) * HOUR_MS);
        }}
      >
        <option value="">Any time</option>
        {PERIODS.map(([hours, label]) => (
          <option key={hours} value={hours}>
            {label}
          </option>
        ))}
      </select>
    </label>
  );
}
