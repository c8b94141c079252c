/**
 * Why the browser's storage cannot be used.
 * `denied`: private mode, a blocked third-party frame, or switched off. `full`: the disk or the origin's quota.
 * `newer`: written by a newer version of this program that is open in another tab, or was. `unreadable`: a record
 * that must not be guessed at (the identity) does not decode. `closed`: the browser took the database away.
 */
export type StorageTrouble = "denied" | "full" | "newer" | "unreadable" | "closed";

/** Expected trouble of the browser's storage, for the page to put in words. */
export class StorageError extends Error {
  static override readonly name = "StorageError";
  override readonly name = "StorageError";
  readonly trouble: StorageTrouble;

  constructor(trouble: StorageTrouble, message: string, options?: ErrorOptions) {
    super(message, options);
    this.trouble = trouble;
  }
}

/** DOMException names by the trouble they tell of (Indexed Database API 3.0, exceptions). */
const TROUBLE_BY_NAME: ReadonlyMap<string, StorageTrouble> = new Map([
  ["QuotaExceededError", "full"],
  ["VersionError", "newer"],
  ["InvalidStateError", "closed"],
  ["AbortError", "closed"],
]);

/** Any failure to open the database that is not known otherwise is the browser's refusal. */
export function storageError(cause: unknown): StorageError {
  if (cause instanceof StorageError) return cause;
  const name = cause instanceof Error || cause instanceof DOMException ? cause.name : "unknown";
  return new StorageError(TROUBLE_BY_NAME.get(name) ?? "denied", `storage: ${name}`, { cause });
}

export function isStorageFull(cause: unknown): boolean {
  return cause instanceof DOMException && cause.name === "QuotaExceededError";
}
