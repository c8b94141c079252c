import { type Signal, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { AlertEvent, AlertTerms } from "../../sdk/index.ts";
import type { Alerts } from "../state/alerts.ts";
import { addressProblem, ASKED_EVENTS, EVENT_WORDS, parseAmount } from "../words/alert-words.ts";
import { creditUnit } from "../words/credits.ts";

export interface AlertFormProps {
  readonly alerts: Alerts;
  readonly testMoney: boolean;
}

const USUAL: readonly AlertEvent[] = ["provider-stopped", "audit-failed", "payout"];

/** What to tell and where: in this browser, or by calling an address. */
export function AlertForm({ alerts, testMoney }: AlertFormProps): JSX.Element {
  const events = useSignal<readonly AlertEvent[]>(USUAL);
  const amount = useSignal("1");
  const address = useSignal("");
  const problem = useSignal("");
  const isBusy = alerts.task.value.kind === "busy";
  const terms = (): AlertTerms | undefined => {
    problem.value = "";
    if (events.value.length === 0) problem.value = "Choose at least one thing to be told about.";
    const isLow = events.value.includes("low-balance");
    const below = isLow ? parseAmount(amount.value) : undefined;
    if (isLow && below === undefined) problem.value = "Write the low balance as an amount, such as 0.5.";
    if (problem.value !== "") return undefined;
    return { events: events.value, ...(below === undefined ? {} : { below }) };
  };
  const addHere = (): void => {
    const chosen = terms();
    if (chosen !== undefined) void alerts.addPush(chosen);
  };
  const addWebhook = async (event: Event): Promise<void> => {
    event.preventDefault();
    const chosen = terms();
    if (chosen === undefined) return;
    problem.value = addressProblem(address.value);
    if (problem.value !== "") return;
    if (await alerts.addWebhook(address.value.trim(), chosen)) address.value = "";
  };
  return (
    <form class="alert-form" onSubmit={(event) => void addWebhook(event)} noValidate>
      <Events events={events} amount={amount} testMoney={testMoney} />
      <div class="alert-ways">
        <div>
          <button class="button" type="button" disabled={isBusy} onClick={addHere}>
            Tell me in this browser
          </button>
        </div>
        <div class="field">
          <label for="alert-address">Or call a web address</label>
          <div class="alert-address">
            <input
              id="alert-address"
              type="url"
              inputMode="url"
              autocomplete="off"
              autocapitalize="none"
              spellcheck={false}
              placeholder="https://example.org/hook"
              aria-describedby="alert-problem"
              value={address.value}
              onInput={(event) => {
                address.value = event.currentTarget.value;
                problem.value = "";
              }}
            />
            <button class="button button-quiet" type="submit" disabled={isBusy}>
              Add webhook
            </button>
          </div>
        </div>
      </div>
      <p id="alert-problem" class={problem.value === "" ? "hint" : "hint hint-alarm"} role="status">
        {problem.value === ""
          ? "Addresses are called once for each event, and again for a day where they do not answer."
          : problem.value}
      </p>
    </form>
  );
}

function Events({
  events,
  amount,
  testMoney,
}: {
  readonly events: Signal<readonly AlertEvent[]>;
  readonly amount: Signal<string>;
  readonly testMoney: boolean;
}): JSX.Element {
  return (
    <fieldset class="alert-events">
      <legend>Tell me about</legend>
      {ASKED_EVENTS.map((event) => (
        <label key={event} class="alert-event">
          <input
            type="checkbox"
            checked={events.value.includes(event)}
            onChange={({ currentTarget }) => {
              const others = events.value.filter((each) => each !== event);
              events.value = currentTarget.checked ? [...others, event] : others;
            }}
          />
          <span>
            <strong>{EVENT_WORDS[event].name}</strong>
            <span class="hint">{EVENT_WORDS[event].means}</span>
          </span>
        </label>
      ))}
      {events.value.includes("low-balance") && (
        <div class="field alert-amount">
          <label for="alert-amount">Low means less than, in {creditUnit(testMoney)}</label>
          <input
            id="alert-amount"
            inputMode="decimal"
            autocomplete="off"
            value={amount.value}
            onInput={(event) => {
              amount.value = event.currentTarget.value;
            }}
          />
        </div>
      )}
    </fieldset>
  );
}
