import { encodeManifest, modelManifestSchema } from "../../src/protocol/model-manifest.ts";
import { readModel, readModelHeader, writeModel } from "../../src/inference/model/model-file.ts";
import { encoderHeaderSchema } from "../../src/inference/model/encoder-header.ts";
import { llamaHeaderSchema } from "../../src/inference/model/llama-header.ts";
import { quantiseLlama } from "../../src/inference/convert/float-llama.ts";
import { randomLlama, SMALL_SHAPE } from "../../src/inference/model/random-llama.contract.ts";
import { FailureError } from "../../src/protocol/failure.ts";
import type { JsonShape } from "../../src/protocol/json-shape.ts";
import { triggerSchema } from "../../src/protocol/messages/deploy.ts";
import { effectEvidenceSchema, sealedSecretsSchema } from "../../src/protocol/messages/effect.ts";
import {
  embedInputSchema,
  embedOutputSchema,
  generateInputSchema,
  generateSegmentSchema,
} from "../../src/protocol/messages/model-task.ts";
import { peerIdFromKey } from "../../src/protocol/peer-id.ts";
import { pongSchema } from "../../src/protocol/work-frame.ts";
import { proofSchema } from "../../src/protocol/messages/receipt.ts";
import { modelSample } from "../../src/relay/models/publish/model-sample.contract.ts";
import { decode, encode, type Schema } from "../../src/protocol/schema.ts";
import { encodeUtf8 } from "../../src/protocol/text.ts";
import type { Decoder } from "./find-decoders.ts";
import { growJson } from "./grow-json.ts";
import type { WireSubject } from "./wire-subjects.ts";

/** A subject, and the decoder as its file exports it. */
export interface DecoderSubject extends WireSubject {
  readonly decoder: unknown;
}

function schemaSubject<T>(name: string, schema: Schema<T>, value: T): DecoderSubject {
  const again = (data: Uint8Array): Uint8Array => encode(schema, decode(schema, data, data.length));
  return { name, decoder: schema, golden: encode(schema, value), again };
}

function isShape(value: unknown): value is JsonShape<unknown> {
  return typeof value === "object" && value !== null && "read" in value && "write" in value;
}

/** JSON has many spellings: what was read has to be read as the same again from what is written of it. */
function jsonSubject({ name, value: shape }: Decoder): DecoderSubject {
  if (!isShape(shape)) throw new Error(`${name} is no shape`);
  const spelled = (value: unknown): string => JSON.stringify(shape.write(shape.read(value)));
  return {
    name,
    decoder: shape,
    golden: encodeUtf8(spelled(growJson(shape))),
    again(data) {
      let value: unknown;
      try {
        value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(data));
      } catch {
        throw new FailureError("malformed", "is no JSON");
      }
      const once = spelled(value);
      if (spelled(JSON.parse(once)) !== once) throw new Error("is read otherwise than it was written");
      return data;
    },
  };
}

/** Nothing of a model file may be read but what its header says. */
function modelFileSubject(file: Uint8Array): DecoderSubject {
  const golden = file.slice();
  return {
    name: "model file",
    decoder: readModel,
    golden,
    again(data) {
      readModel(data);
      return data;
    },
  };
}

async function modelSubjects(): Promise<readonly DecoderSubject[]> {
  const hash = new Uint8Array(32).fill(9);
  const { manifest } = await modelSample(1);
  const file = writeModel(quantiseLlama(randomLlama(SMALL_SHAPE, 1), 8), {
    name: "a model",
    licence: "CC0-1.0",
    sourceSha256: hash,
    text: "{}",
  });
  const { header } = readModelHeader(file);
  if (header.kind !== "llama") throw new Error("the sample is no Llama model");
  const sampling = { maxTokens: 9, temperatureMilli: 700, topK: 40, topPMilli: 950, seed: hash, stop: ["."] };
  return [
    { ...schemaSubject("model manifest", modelManifestSchema, manifest), golden: encodeManifest(manifest) },
    schemaSubject("generate, of a text", generateInputSchema, { text: "Once", written: [1, 2], ...sampling }),
    schemaSubject("generate, of a conversation", generateInputSchema, {
      messages: [{ role: "user", content: "Hello?" }],
      written: [],
      ...sampling,
    }),
    schemaSubject("segment", generateSegmentSchema, {
      prompt: [1, 2, 3],
      tokens: [4, 5],
      text: "upon a time",
      links: hash,
      end: "stop",
    }),
    schemaSubject("embed", embedInputSchema, { texts: ["a", "b"] }),
    schemaSubject("embeddings", embedOutputSchema, {
      dimensions: 2,
      vectors: hash.subarray(0, 8),
      tokens: [3, 4],
    }),
    schemaSubject("proof", proofSchema, [hash, hash]),
    schemaSubject("pong", pongSchema, { links: [{ peer: peerIdFromKey(hash), over: "circuit" }] }),
    schemaSubject("header of a Llama model", llamaHeaderSchema, header),
    modelFileSubject(file),
  ];
}

/** Decoders whose values are tried in another one's: told here, so that nothing is forgotten in silence. */
export const TRIED_ELSEWHERE: ReadonlySet<unknown> = new Set([
  // Sentence encoders come as files of some megabytes: src/inference tests read those.
  encoderHeaderSchema,
]);

function composedSubjects(): readonly DecoderSubject[] {
  const bytes = new Uint8Array(32).fill(7);
  return [
    schemaSubject("trigger", triggerSchema, {
      id: "hourly",
      kind: "interval",
      missed: "once",
      everyMs: 3_600_000,
    }),
    schemaSubject("sealed secrets", sealedSecretsSchema, [{ name: "token", enc: bytes, sealed: bytes }]),
    schemaSubject("effect evidence", effectEvidenceSchema, {
      capability: bytes,
      record: bytes,
      value: bytes,
    }),
  ];
}

/** Decoders that the golden vectors do not know: JSON, models, proofs. */
export async function decoderSubjects(decoders: readonly Decoder[]): Promise<readonly DecoderSubject[]> {
  return [
    ...decoders.filter(({ name }) => name.endsWith("Json")).map(jsonSubject),
    ...composedSubjects(),
    ...(await modelSubjects()),
  ];
}
