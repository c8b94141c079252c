import type { CborReader } from "./cbor-reader.ts";
import type { CborWriter } from "./cbor-writer.ts";
import { FailureError } from "./failure.ts";
import { MAX_EXT_KEYS, WIRE_VERSION } from "./limits.ts";
import { bool, bytes, compareKeys, type Fields, list, type Schema, text, u64 } from "./schema.ts";
import { encodeUtf8 } from "./text.ts";

/** A value in `ext`: what a later version may add without breaking this one. */
export type ExtValue = bigint | string | boolean | Uint8Array | readonly ExtValue[];
export type Ext = Readonly<Record<string, ExtValue>>;

/** What every signed body begins with. `origin` names the relay, `asset` its money: nothing counts elsewhere (rule 18). */
export interface Header {
  readonly v: typeof WIRE_VERSION;
  /** The relay's log origin, as in its checkpoints. */
  readonly origin: string;
  /** "test:<origin>" for test money, else the asset's CAIP-19 name. */
  readonly asset: string;
  /** Names of extensions that the reader must understand. Version 1 knows none, so any name is refused. */
  readonly crit: readonly string[];
  /** Unknown keys live here and only here; they are signed with the rest. */
  readonly ext: Ext;
}

const version: Schema<typeof WIRE_VERSION> = {
  write: (out, value) => out.head(0, value),
  read(from) {
    const value = from.uint(Number.MAX_SAFE_INTEGER);
    return value === WIRE_VERSION
      ? WIRE_VERSION
      : from.fail(`version ${value}, expected ${WIRE_VERSION}`, "unsupported");
  },
};

const names: Schema<readonly string[]> = list(text(64), MAX_EXT_KEYS);

const critical: Schema<readonly string[]> = {
  write: (out, value) => names.write(out, value),
  read(from) {
    const [first] = names.read(from);
    return first === undefined ? [] : from.fail("demands an extension that is unknown here", "unsupported");
  },
};

const extText: Schema<string> = text();
const extBytes: Schema<Uint8Array> = bytes(4_096);

function readExtValue(from: CborReader): ExtValue {
  switch (from.peekMajor()) {
    case 0:
      return u64.read(from);
    case 2:
      return extBytes.read(from);
    case 3:
      return extText.read(from);
    case 4:
      return list({ write: writeExtValue, read: readExtValue }, 64).read(from);
    case 7:
      return bool.read(from);
    default:
      return from.fail("holds a kind of value that extensions may not hold");
  }
}

function writeExtValue(out: CborWriter, value: ExtValue): void {
  if (typeof value === "bigint") out.u64(value);
  else if (typeof value === "string") extText.write(out, value);
  else if (typeof value === "boolean") out.bool(value);
  else if (value instanceof Uint8Array) extBytes.write(out, value);
  else list({ write: writeExtValue, read: readExtValue }, 64).write(out, value);
}

const extension: Schema<Ext> = {
  write(out, value) {
    const entries = Object.entries(value)
      .map(([name, item]) => ({ key: encodeUtf8(name), item }))
      .toSorted((a, b) => compareKeys(a.key, b.key));
    if (entries.length > MAX_EXT_KEYS) throw new RangeError(`more than ${MAX_EXT_KEYS} extensions`);
    out.head(5, entries.length);
    for (const { key, item } of entries) {
      out.textString(key);
      writeExtValue(out, item);
    }
  },
  read(from) {
    const count = from.count(5, MAX_EXT_KEYS);
    const entries: [string, ExtValue][] = [];
    let last: Uint8Array | undefined;
    for (let i = 0; i < count; i += 1) {
      const name = extText.read(from);
      const key = encodeUtf8(name);
      if (last !== undefined && compareKeys(last, key) >= 0) from.fail("keys are repeated or out of order");
      last = key;
      from.enter(String(i));
      entries.push([name, readExtValue(from)]);
      from.leave();
    }
    return Object.fromEntries(entries);
  },
};

export const headerFields: Fields<Header> = {
  v: version,
  origin: text(128),
  asset: text(160),
  crit: critical,
  ext: extension,
};

/** The header of a new message. */
export function header(origin: string, asset: string): Header {
  return { v: WIRE_VERSION, origin, asset, crit: [], ext: {} };
}

/** Test money of a relay: never paid out, and in no log with other money, so bonds and experience in it stay there (rule 18). */
export function testAsset(origin: string): string {
  return `test:${origin}`;
}

export function isTestAsset(asset: string): boolean {
  return asset.startsWith("test:");
}

/** @throws FailureError `wrong-relay` or `wrong-asset` when the message was made for another relay or its money. */
export function requireOrigin(message: Header, origin: string, asset: string): void {
  if (message.origin !== origin)
    throw new FailureError("wrong-relay", `made for ${message.origin}, this is ${origin}`);
  if (message.asset !== asset)
    throw new FailureError("wrong-asset", `in ${message.asset}, this relay keeps ${asset}`);
}
