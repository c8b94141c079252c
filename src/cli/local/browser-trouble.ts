import { failureKind } from "../../protocol/failure-code.ts";
import { FailureError } from "../../protocol/failure.ts";
import type { PageAnswer } from "../../relay/models/open-model.ts";
import { PlainError } from "../plain-error.ts";

type Unanswered = Exclude<PageAnswer<never>, { readonly kind: "done" }>;
type Refusal = Extract<Unanswered, { readonly kind: "refused" }>["reason"];

const OTHERWISE = "Leave --backend webgpu out: WebAssembly gives the same bits.";
const SEE_GPU = `See chrome://gpu in that browser, or set CHROMIUM_PATH to another. ${OTHERWISE}`;

/** What each refusal is to a person. */
const REFUSALS: Readonly<Record<Refusal, { readonly what: string; readonly advice: string }>> = {
  "no-webgpu": { what: "This Chromium has no WebGPU.", advice: SEE_GPU },
  "no-adapter": { what: "This Chromium gives no graphics card away.", advice: SEE_GPU },
  "no-device": { what: "The graphics card cannot be opened.", advice: SEE_GPU },
  "not-compiled": { what: "The graphics card's compiler refuses a kernel.", advice: SEE_GPU },
  "wrong-answer": {
    what: "The graphics card computes something else than the known answers, so it computes nothing here.",
    advice: `A newer driver may compute right. ${OTHERWISE}`,
  },
  "no-memory": {
    what: "The graphics card has no room.",
    advice: `Close what else uses it, or take a smaller model. ${OTHERWISE}`,
  },
  lost: { what: "The graphics card was lost while it was opened.", advice: `Try again. ${OTHERWISE}` },
};

/** What a page that has not answered is to a person. */
export function troubleOf(answer: Unanswered): Error {
  switch (answer.kind) {
    case "refused":
      return new PlainError({ ...REFUSALS[answer.reason], why: answer.detail });
    case "failed":
      return failureOf(answer);
    case "error":
      return new RangeError(answer.message);
    default:
      throw new RangeError(String(answer satisfies never));
  }
}

function failureOf({ code, detail }: Extract<Unanswered, { readonly kind: "failed" }>): Error {
  if (failureKind(code).name !== "gpu-lost") return new FailureError(code, detail);
  return new PlainError({
    what: "The graphics card was lost while it computed.",
    why: detail,
    advice: `Run it again. ${OTHERWISE}`,
  });
}

/** A browser that is gone in the middle. */
export function browserGone(cause: unknown): PlainError {
  const why = cause instanceof Error ? cause.message.split("\n")[0] : undefined;
  return new PlainError({
    what: "The browser ended while it computed.",
    ...(why === undefined ? {} : { why }),
    advice: `It may have had too little memory. ${OTHERWISE}`,
    cause,
  });
}
