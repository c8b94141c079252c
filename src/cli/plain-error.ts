/** How a command ends, as its exit code. */
export const EXIT = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;
export type Exit = (typeof EXIT)[keyof typeof EXIT];

export interface PlainErrorParts {
  /** What happened, one sentence. */
  readonly what: string;
  /** Why, as far as it is known. */
  readonly why?: string;
  /** What to do about it. */
  readonly advice?: string;
  readonly exit?: Exit;
  readonly cause?: unknown;
}

/** An error that is told to a person: what happened, why, and what to do. */
export class PlainError extends Error {
  static override readonly name = "PlainError";
  override readonly name = "PlainError";
  readonly what: string;
  readonly why: string | undefined;
  readonly advice: string | undefined;
  readonly exit: Exit;

  constructor({ what, why, advice, exit = EXIT.failed, cause }: PlainErrorParts) {
    super(what, cause === undefined ? undefined : { cause });
    this.what = what;
    this.why = why;
    this.advice = advice;
    this.exit = exit;
  }
}

/** A command line that does not make sense. */
export function usageError(what: string, advice?: string): PlainError {
  return new PlainError({ what, exit: EXIT.usage, ...(advice === undefined ? {} : { advice }) });
}
