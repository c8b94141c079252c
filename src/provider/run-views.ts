import { createRunRequests, type RunRequests } from "../mesh/run-requests.ts";

/** What a page shows of an account's runs. */
export type RunViews = Pick<RunRequests, "runs" | "run">;

/** @param relayUrl the relay's origin, as in "https://relay.example". */
export function createRunViews(relayUrl: string): RunViews {
  return createRunRequests({ baseUrl: relayUrl, fetch: (input, init) => fetch(input, init) });
}
