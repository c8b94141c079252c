import { type FailureCode, failureKind } from "./failure-code.ts";

/** From here on codes are of requests that never became work. */
const FIRST_REFUSAL = 40_000;

/** Who pays for what ended so, in one sentence that a requester and a provider can both read. */
export function whoPays(code: FailureCode): string {
  if (code >= FIRST_REFUSAL) return "Nothing is charged for a request that is refused.";
  const { fault, pay, refund } = failureKind(code);
  switch (pay) {
    case "fuel":
      return "The requester pays for what was computed: on this input the function ends so on every machine.";
    case "start-fee":
      return "The requester pays the small fee for a task that had begun, and nothing more.";
    case "none":
      if (refund === "retry") return "Nobody pays: what was set aside goes to the next attempt.";
      return fault === "provider"
        ? "Nobody pays: what was set aside goes back to the requester, and the provider answers for it."
        : "Nobody pays: what was set aside goes back to the requester.";
    default:
      return pay satisfies never;
  }
}
