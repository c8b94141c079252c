import { fromBase64, toBase64 } from "./base64.ts";
import { MAX_ENTRY_BYTES, MAX_PROOF_HASHES } from "./limits.ts";
import { HASH_BYTES } from "./merkle.ts";
import { WireError } from "./wire-error.ts";

/**
 * That a log holds an entry, as a file that proves it offline to whoever knows the log's key: C2SP tlog-proof. The extra data
 * is the entry itself here, so that nothing else is needed.
 */
export interface TlogProof {
  readonly index: number;
  /** RFC 6962 audit path, from the leaf up. */
  readonly proof: readonly Uint8Array[];
  /** Signed note over a tree that holds the entry. */
  readonly checkpoint: string;
  /** The entry's bytes, where they are given. */
  readonly entry?: Uint8Array;
}

const FIRST_LINE = "c2sp.org/tlog-proof@v1";

export function isTlogProof(text: string): boolean {
  return text.startsWith(`${FIRST_LINE}\n`);
}

/** The file's text. */
export function writeTlogProof({ index, proof, checkpoint, entry }: TlogProof): string {
  const lines = [
    FIRST_LINE,
    ...(entry === undefined ? [] : [`extra ${toBase64(entry)}`]),
    `index ${index}`,
    ...proof.map(toBase64),
  ];
  return `${lines.join("\n")}\n\n${checkpoint}`;
}

function wrong(what: string): never {
  throw new WireError(`tlog-proof: ${what}`);
}

function bytesOf(line: string, what: string, isSize: (length: number) => boolean): Uint8Array {
  const bytes = fromBase64(line);
  return bytes !== undefined && isSize(bytes.length) ? bytes : wrong(`${what} is not base64 of its size`);
}

/** Reads one proof; its note and its hashes are not verified. @throws WireError when it is none */
export function parseTlogProof(text: string): TlogProof {
  const split = text.indexOf("\n\n");
  if (!isTlogProof(text) || split < 0) wrong("is none");
  const [, ...lines] = text.slice(0, split).split("\n");
  const extra = lines[0]?.startsWith("extra ") === true ? lines.shift()?.slice("extra ".length) : undefined;
  const index = /^index (?<index>0|[1-9]\d{0,15})$/u.exec(lines.shift() ?? "")?.groups?.["index"];
  if (index === undefined || !Number.isSafeInteger(Number(index))) wrong("has no index");
  if (lines.length > MAX_PROOF_HASHES) wrong(`has more than ${MAX_PROOF_HASHES} hashes`);
  return {
    index: Number(index),
    proof: lines.map((line) => bytesOf(line, "a hash", (length) => length === HASH_BYTES)),
    checkpoint: text.slice(split + 2),
    ...(extra === undefined
      ? {}
      : { entry: bytesOf(extra, "the entry", (length) => length <= MAX_ENTRY_BYTES) }),
  };
}

/** The proofs of a file that holds several, one behind the other. @throws WireError when one is none */
export function parseTlogProofs(text: string): readonly TlogProof[] {
  const starts = [...text.matchAll(/^c2sp\.org\/tlog-proof@v1$/gmu)].map(({ index }) => index);
  if (starts[0] !== 0) wrong("is none");
  return starts.map((start, at) => parseTlogProof(text.slice(start, starts[at + 1])));
}
