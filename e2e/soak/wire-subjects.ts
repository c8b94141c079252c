import { readdirSync, readFileSync } from "node:fs";
import * as dagCbor from "@ipld/dag-cbor";
import { encodeFrame, FrameParser } from "../../src/mesh/frame-parser.ts";
import { concatBytes } from "../../src/protocol/bytes.ts";
import { checkpointText, parseCheckpoint } from "../../src/protocol/checkpoint.ts";
import { type MessageType, openEnvelope, verifiedSync } from "../../src/protocol/envelope.ts";
import { FailureError } from "../../src/protocol/failure.ts";
import { decodeEntry, encodeEntry, ENTRY_TYPES, entryBodies } from "../../src/protocol/messages/entry.ts";
import { keyFromPeerId, multicodecKey, parsePeerId } from "../../src/protocol/peer-id.ts";
import { decode, encode, type Schema } from "../../src/protocol/schema.ts";
import { makeCast, ORIGIN } from "../../src/protocol/vectors/cast.contract.ts";
import { messageSamples, partSamples } from "../../src/protocol/vectors/catalogue.contract.ts";
import { fromHex } from "../../src/protocol/vectors/json-form.contract.ts";
import { tellStory } from "../../src/protocol/vectors/story.contract.ts";
import { verifyNative } from "../../src/relay/books/native-keys.ts";

/** Golden bytes, and the decoder that a stranger's bytes would meet in their place. */
export interface WireSubject {
  readonly name: string;
  readonly golden: Uint8Array;
  /**
   * Reads bytes and writes again what they were taken for.
   * @throws FailureError when they are refused, any other error when something is wrong.
   */
  again(data: Uint8Array): Uint8Array;
}

interface Row {
  readonly name: string;
  readonly type: string;
  readonly bodyHex: string;
  readonly envelopeHex: string;
  readonly entryHex: string;
  readonly frameHex: string;
}

const VECTORS = new URL("../../src/protocol/vectors/", import.meta.url);

function read(file: string): Readonly<Record<string, unknown>> {
  return JSON.parse(readFileSync(new URL(file, VECTORS), "utf8")) as Readonly<Record<string, unknown>>;
}

/** Golden rows of a kind, of all files that have some. */
export function goldenRows(kind: "messages" | "parts" | "entries" | "frames"): readonly Row[] {
  const files = readdirSync(VECTORS).filter((file) => file.endsWith(".json"));
  return files.toSorted().flatMap((file) => (read(file)[kind] ?? []) as readonly Row[]);
}

function found<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`the vectors know no ${name}`);
  return value;
}

function bodySubject(name: string, schema: Schema<unknown>, golden: Uint8Array): WireSubject {
  return { name, golden, again: (data) => encode(schema, decode(schema, data)) };
}

/** @param signed CIDs of all bodies that somebody signed. */
function envelopeSubject(row: Row, type: MessageType<unknown>, signed: ReadonlySet<string>): WireSubject {
  return {
    name: `${row.name}, envelope`,
    golden: fromHex(row.envelopeHex),
    again(data) {
      const opened = openEnvelope(type, data);
      requireSigned(opened, signed);
      return dagCbor.encode({
        type: opened.type,
        body: encode(type.schema, opened.body),
        signatures: opened.signedBy.map(({ key, delegation }, index) => {
          const signature = { key: multicodecKey(key), sig: opened.claims[index]?.signature };
          return delegation === undefined ? signature : Object.assign(signature, { delegation });
        }),
      });
    },
  };
}

/** A message whose signatures hold says what was signed, whatever was done to its bytes. */
function requireSigned(opened: ReturnType<typeof openEnvelope>, signed: ReadonlySet<string>): void {
  try {
    verifiedSync(opened, verifyNative);
  } catch (error) {
    if (error instanceof FailureError) return;
    throw error;
  }
  if (!signed.has(opened.id)) throw new Error(`nobody signed ${opened.id}, yet its signature holds`);
}

function entrySubject(row: Row): WireSubject {
  return {
    name: `${row.name}, entry`,
    golden: fromHex(row.entryHex),
    again(data) {
      const entry = decodeEntry(data);
      if (entry.body !== undefined) {
        const schema: Schema<unknown> = entryBodies[entry.type];
        return encodeEntry({ ...entry, body: encode(schema, decode(schema, entry.body, entry.body.length)) });
      }
      return encodeEntry(entry);
    },
  };
}

/** What was read as frames is written as frames; what is left over of the last one stays as it is. */
function frameSubject(row: Row): WireSubject {
  return {
    name: `${row.name}, frame`,
    golden: fromHex(row.frameHex),
    again(data) {
      const frames: Uint8Array[] = [];
      const parser = new FrameParser(
        () => 65_536,
        (kind, payload) => frames.push(encodeFrame(kind, [payload])),
      );
      const middle = data.length >> 1;
      parser.push(data.subarray(0, middle));
      parser.push(data.subarray(middle));
      const written = concatBytes(...frames);
      if (parser.atBoundary !== (written.length === data.length))
        throw new Error("the parser does not know where it stands");
      return concatBytes(written, data.subarray(written.length));
    },
  };
}

function noteSubject(): WireSubject {
  const log = read("log.json") as { readonly note: string; readonly logKey: string };
  const key = keyFromPeerId(parsePeerId(log.logKey));
  const golden = new TextEncoder().encode(log.note);
  const signedText = checkpointText(parseCheckpoint(log.note, ORIGIN, key));
  return {
    name: "checkpoint",
    golden,
    again(data) {
      const checkpoint = parseCheckpoint(new TextDecoder("utf-8").decode(data), ORIGIN, key);
      const { message, signature } = checkpoint.claim;
      const text = checkpointText(checkpoint);
      if (verifyNative(key, message, signature) && text !== signedText)
        throw new Error("the signature holds over another checkpoint");
      if (new TextDecoder().decode(message) !== text)
        throw new Error("what was verified is not what was read");
      return data;
    },
  };
}

/** Every golden vector with its decoder. */
export async function wireSubjects(): Promise<readonly WireSubject[]> {
  const cast = await makeCast();
  const story = await tellStory(cast);
  const types = new Map(messageSamples(cast, story).map(({ name, type }) => [name, type]));
  const schemas = new Map(partSamples(story).map(({ name, schema }) => [name, schema]));
  const messages = goldenRows("messages");
  const typed = messages.map((row) => ({ row, type: found(types.get(row.name), row.name) }));
  const signed = new Set(
    typed.map(({ row, type }) => openEnvelope(type, fromHex(row.envelopeHex)).id as string),
  );
  return [
    ...typed.map(({ row, type }) => bodySubject(`${row.name}, body`, type.schema, fromHex(row.bodyHex))),
    ...typed.map(({ row, type }) => envelopeSubject(row, type, signed)),
    ...goldenRows("parts").map((row) =>
      bodySubject(`${row.name}, part`, found(schemas.get(row.name), row.name), fromHex(row.bodyHex)),
    ),
    ...goldenRows("entries").map((row) =>
      bodySubject(
        `${row.name}, body of an entry`,
        entryBodies[
          found(
            ENTRY_TYPES.find((type) => type === row.type),
            row.type,
          )
        ],
        fromHex(row.bodyHex),
      ),
    ),
    ...goldenRows("entries").map(entrySubject),
    ...goldenRows("frames").map(frameSubject),
    noteSubject(),
  ];
}
