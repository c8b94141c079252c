import { ALERT_EVENTS, type AlertEvent } from "./messages/alert.ts";

/** What an alert's call says, in the body of a webhook's request and in a push to a browser. */
export interface AlertCall {
  readonly type: AlertEvent | "test";
  /** ISO 8601. */
  readonly timestamp: string;
  readonly data: {
    /** The relay's log, and what people call the relay. */
    readonly relay: string;
    readonly relayName: string;
    readonly account: string;
    /** What happened and what to do, for a person. */
    readonly words: string;
    /** Names the event: the same one has the same name. */
    readonly event: string;
    /** More of it for programs; amounts are decimal micro-credits. */
    readonly [fact: string]: string | number;
  };
}

/** A call as a browser shows it. */
export interface AlertNotice {
  readonly title: string;
  readonly body: string;
  /** Of two notices with one tag the later takes the place of the earlier. */
  readonly tag: string;
}

const TITLES: Readonly<Record<AlertCall["type"], string>> = {
  "low-balance": "Your balance is low",
  "audit-failed": "An audit failed",
  payout: "Payout",
  "provider-stopped": "Your provider stopped",
  test: "Alerts reach this browser",
};

const LONGEST_TITLE = 80;
const LONGEST_BODY = 400;

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function textOf(value: unknown, longest: number): string {
  return typeof value === "string" ? value.slice(0, longest) : "";
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What to show for a push. A browser must show something for each, so there is a notice for whatever came. Never throws. */
export function alertNotice(text: string): AlertNotice {
  const call = parsed(text);
  const type = [...ALERT_EVENTS, "test" as const].find((known) => known === fieldOf(call, "type"));
  const data = fieldOf(call, "data");
  const relay = textOf(fieldOf(data, "relayName"), LONGEST_TITLE / 2);
  const title = type === undefined ? "Tabmesh" : TITLES[type];
  return {
    title: (relay === "" ? title : `${title} · ${relay}`).slice(0, LONGEST_TITLE),
    body: textOf(fieldOf(data, "words"), LONGEST_BODY) || "Something happened. Open Tabmesh to see what.",
    tag: textOf(fieldOf(data, "event"), LONGEST_BODY),
  };
}
