import { writeFileSync } from "node:fs";
import { concatBytes, toHex, u32be } from "../bytes.ts";
import { cidOf, DAG_CBOR } from "../cid.ts";
import { seal } from "../envelope.ts";
import { leafHash } from "../merkle.ts";
import { encodeEntry } from "../messages/entry.ts";
import { keyFromPeerId, multicodecKey } from "../peer-id.ts";
import { rotationMessage } from "../rotation.ts";
import { encode } from "../schema.ts";
import { signedBytes } from "../signature.ts";
import { FRAME, headerLength } from "../work-frame.ts";
import { type Cast, makeCast, ORIGIN, type Role, ROLES, seedOf } from "./cast.contract.ts";
import {
  entrySamples,
  type MessageSample,
  messageSamples,
  type PartSample,
  partSamples,
  schemaOfEntry,
} from "./catalogue.contract.ts";
import { drawRows } from "./draw-vectors.contract.ts";
import { toJsonForm } from "./json-form.contract.ts";
import { negatives } from "./negative.contract.ts";
import { type Story, tellStory } from "./story.contract.ts";

/**
 * Writes the golden vectors. Run it with Node from anywhere: `node src/protocol/vectors/generate.contract.ts`. A change
 * of these files is a change of the wire format.
 */
type Row = Record<string, unknown>;

async function signatureRow(cast: Cast, role: Role, message: Uint8Array): Promise<Row> {
  const signer = cast[role];
  const { delegation } = signer;
  const row = { role, sigHex: toHex(await signer.sign(message)) };
  return delegation === undefined ? row : { ...row, delegationHex: toHex(delegation) };
}

async function messageRow(cast: Cast, sample: MessageSample): Promise<Row> {
  const { name, type, body, signers } = sample;
  const encoded = encode(type.schema, body);
  const message = signedBytes(type.name, encoded);
  const by = signers.map((role) => cast[role]);
  return {
    name,
    type: type.name,
    body: toJsonForm(body),
    bodyHex: toHex(encoded),
    cid: cidOf(DAG_CBOR, encoded),
    signedHex: toHex(message),
    signatures: await Promise.all(signers.map(async (role) => signatureRow(cast, role, message))),
    envelopeHex: toHex(await seal(type, body, by)),
  };
}

function partRow({ name, schema, body }: PartSample): Row {
  const encoded = encode(schema, body);
  return {
    name,
    body: toJsonForm(body),
    bodyHex: toHex(encoded),
    cid: cidOf(DAG_CBOR, encoded),
    leafHashHex: toHex(leafHash(encoded)),
  };
}

async function entryRows(cast: Cast, story: Story, messages: readonly Row[]): Promise<readonly Row[]> {
  const envelopes = new Map(
    messages.map((row) => [
      String(row["name"]),
      Uint8Array.from(Buffer.from(String(row["envelopeHex"]), "hex")),
    ]),
  );
  return (await entrySamples(cast, story, envelopes)).map(({ name, type, time, body }) => {
    const encoded = encode(schemaOfEntry(type), body);
    const entry = encodeEntry({ v: 1, type, time, body: encoded });
    return {
      name,
      type,
      time,
      body: toJsonForm(body),
      bodyHex: toHex(encoded),
      entryHex: toHex(entry),
      leafHashHex: toHex(leafHash(entry)),
    };
  });
}

function keyRow(cast: Cast, role: Role): Row {
  const { key } = cast[role];
  return {
    role,
    seedHex: toHex(seedOf(role)),
    publicKeyHex: toHex(keyFromPeerId(key)),
    peer: key,
    wireHex: toHex(multicodecKey(key)),
  };
}

function frameRow(name: keyof typeof FRAME, payload: Uint8Array): Row {
  const framed = concatBytes(u32be(payload.length), Uint8Array.of(FRAME[name]), payload);
  return { name, kind: FRAME[name], payloadHex: toHex(payload), frameHex: toHex(framed) };
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "ascii"));
}

function frameRows(parts: readonly Row[]): readonly Row[] {
  const hexOf = (name: string): Uint8Array =>
    Uint8Array.from(Buffer.from(String(parts.find((row) => row["name"] === name)?.["bodyHex"]), "hex"));
  const task = hexOf("task");
  const outcome = hexOf("outcome, done");
  return [
    frameRow("refuse", hexOf("refuse")),
    frameRow("task", concatBytes(headerLength(task), task, ascii("one"))),
    frameRow("taskData", concatBytes(u32be(7), ascii("more"))),
    frameRow("outcome", concatBytes(headerLength(outcome), outcome, ascii("ONE"))),
    frameRow("outcomeData", concatBytes(u32be(7), ascii("MORE"))),
    frameRow("ping", new Uint8Array()),
    frameRow("data", ascii("bytes of a blob")),
  ];
}

function logRow(cast: Cast, story: Story): Row {
  return {
    origin: ORIGIN,
    logKey: cast.log.key,
    entriesHex: story.entries.map(({ bytes }) => toHex(bytes)),
    rootHex: toHex(story.log.root()),
    note: story.note,
    earlyNote: story.earlyNote,
    inclusion: toJsonForm({ index: story.inclusion.index, proof: story.inclusion.proof }),
    consistency: toJsonForm({ from: 2, to: story.log.size, proof: story.log.consistencyProof(2) }),
    rotationMessageHex: toHex(rotationMessage(ORIGIN, "log", cast.nextLog.key)),
  };
}

function fileText(about: string, content: Row): string {
  return `${JSON.stringify({ about, ...content }, null, 2)}\n`;
}

/** Name and text of every file of vectors. */
export async function goldenFiles(): Promise<ReadonlyMap<string, string>> {
  const cast = await makeCast();
  const story = await tellStory(cast);
  const messages = await Promise.all(
    messageSamples(cast, story).map(async (sample) => ({
      file: sample.file,
      row: await messageRow(cast, sample),
    })),
  );
  const parts = partSamples(story).map((sample) => ({ file: sample.file, row: partRow(sample) }));
  const files = new Map<string, string>();
  files.set(
    "keys.json",
    fileText("Ed25519 seeds of everybody who signs.", { keys: ROLES.map((role) => keyRow(cast, role)) }),
  );
  for (const file of ["session", "job", "lease", "task", "receipt", "audit", "payout", "run"]) {
    files.set(
      `${file}.json`,
      fileText("$hex: byte string. $cid: tag 42. $peer: byte string of a public key. $u64: integer.", {
        messages: messages.filter((each) => each.file === file).map((each) => each.row),
        parts: parts.filter((each) => each.file === file).map((each) => each.row),
      }),
    );
  }
  files.set(
    "frame.json",
    fileText("Frames: length of the payload, kind, payload.", {
      parts: parts.filter((each) => each.file === "frame").map((each) => each.row),
      frames: frameRows(parts.map((each) => each.row)),
    }),
  );
  files.set(
    "entry.json",
    fileText("Entries of the log, one of each type.", {
      entries: await entryRows(
        cast,
        story,
        messages.map((each) => each.row),
      ),
    }),
  );
  files.set("log.json", fileText("A log of five entries, its notes and proofs.", logRow(cast, story)));
  files.set(
    "draw.json",
    fileText(
      "Draws: the leaves that are opened. The last rate holds for the leaves after it. Refused: lists that do not follow.",
      { ...drawRows(story) },
    ),
  );
  files.set(
    "negative.json",
    fileText("Bytes that have to be refused, and how.", { refused: await negatives(cast, story) }),
  );
  return files;
}

if (import.meta.main) {
  for (const [name, text] of await goldenFiles()) writeFileSync(new URL(name, import.meta.url), text);
}
