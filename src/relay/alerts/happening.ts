import type { AlertCall } from "../../protocol/alert-call.ts";
import type { AlertEvent } from "../../protocol/messages/alert.ts";
import type { PeerId } from "../../protocol/peer-id.ts";

/** Something an account may want to be told of. */
export interface Happening {
  readonly event: AlertEvent | "test";
  readonly account: PeerId;
  /** The same for the same thing, however often it is found. */
  readonly name: string;
  /** What happened and what to do, for a person. */
  readonly words: string;
  /** The same for programs; amounts are decimal micro-credits. */
  readonly facts: Readonly<Record<string, string | number>>;
}

/** What is sent: JSON that webhooks get as their body, and the app's service worker from the push service. */
export function callBody(
  { event, account, name, words, facts }: Happening,
  relay: { readonly name: string; readonly origin: string },
  nowMs: number,
): string {
  const call: AlertCall = {
    type: event,
    timestamp: new Date(nowMs).toISOString(),
    data: { relay: relay.origin, relayName: relay.name, account, words, event: name, ...facts },
  };
  return JSON.stringify(call);
}
