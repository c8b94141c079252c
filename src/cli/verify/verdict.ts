/** What came of verifying something. */
export interface Verdict {
  /** Whether it proves what it is there to prove. */
  readonly ok: boolean;
  /** Lines for a person; the last one is the verdict. */
  readonly lines: readonly string[];
  /** For --json, beside `ok`. */
  readonly json: Readonly<Record<string, unknown>>;
}

/** A value of a message as JSON has it: bytes in base64, large numbers as text. */
export function plainValue(value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (Array.isArray(value)) return value.map(plainValue);
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(
      Object.entries(value).map(([key, each]: [string, unknown]) => [key, plainValue(each)]),
    );
  return value;
}
