import { existsSync, readFileSync, statSync } from "node:fs";
import { type Cid, isCid } from "../protocol/cid.ts";
import { FailureError } from "../protocol/failure.ts";
import { isPeerId, type PeerId } from "../protocol/peer-id.ts";
import { writePrivateFile } from "./data-dir.ts";

/** A function, input or identity that the operator denies. */
export interface Denial {
  readonly what: Cid | PeerId;
  /** For the operator; whoever is denied does not see it. */
  readonly reason: string;
}

/**
 * The operator's deny list: a text file, one CID or peer id a line, the reason after a space. It is read again when it
 * has changed, so that a running relay follows the command line and an editor alike.
 */
export class DenyList {
  readonly #path: string | undefined;
  #denials: ReadonlyMap<string, Denial> = new Map();
  #stamp = "";

  /** @param path `undefined` keeps the list in memory. */
  constructor(path: string | undefined) {
    this.#path = path;
    this.refresh();
  }

  /** Reads the file again if it has changed. A line that is neither CID nor peer id is passed over. */
  refresh(): void {
    if (this.#path === undefined || !existsSync(this.#path)) {
      if (this.#path !== undefined) this.#denials = new Map();
      return;
    }
    const { mtimeMs, size, ino } = statSync(this.#path);
    const stamp = `${mtimeMs}/${size}/${ino}`;
    if (stamp === this.#stamp) return;
    this.#stamp = stamp;
    this.#denials = parse(readFileSync(this.#path, "utf8"));
  }

  list(): readonly Denial[] {
    return [...this.#denials.values()];
  }

  has(what: string): boolean {
    return this.#denials.has(what);
  }

  /** @throws FailureError `denied` naming what is denied, when one of them is. */
  require(...all: readonly (Cid | PeerId)[]): void {
    for (const what of all)
      if (this.#denials.has(what)) throw new FailureError("denied", `${what} is denied by the operator`);
  }

  /** Idempotent; the newest reason counts. */
  deny(what: Cid | PeerId, reason: string): void {
    this.refresh();
    const denials = new Map(this.#denials);
    denials.set(what, { what, reason: reason.replaceAll(/\s+/gu, " ").trim().slice(0, 256) });
    this.#save(denials);
  }

  /** @returns whether it was on the list. */
  undeny(what: string): boolean {
    this.refresh();
    const denials = new Map(this.#denials);
    const was = denials.delete(what);
    if (was) this.#save(denials);
    return was;
  }

  #save(denials: ReadonlyMap<string, Denial>): void {
    this.#denials = denials;
    if (this.#path === undefined) return;
    const lines = [...denials.values()].map(({ what, reason }) => `${what} ${reason}`.trimEnd());
    writePrivateFile(this.#path, `${lines.join("\n")}\n`);
  }
}

/** @throws RangeError unless it is a CID or a peer id. */
export function parseDenied(text: string): Cid | PeerId {
  if (isCid(text) || isPeerId(text)) return text;
  throw new RangeError(`${text} is neither a CID nor a peer id (12D3KooW…)`);
}

function parse(text: string): ReadonlyMap<string, Denial> {
  const denials = new Map<string, Denial>();
  for (const line of text.split("\n")) {
    const [what = "", ...reason] = line.trim().split(" ");
    if (isCid(what) || isPeerId(what)) denials.set(what, { what, reason: reason.join(" ") });
  }
  return denials;
}
