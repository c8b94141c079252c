import { toHex } from "../../protocol/bytes.ts";
import type { Cid } from "../../protocol/cid.ts";
import {
  jsonCid,
  type JsonShape,
  jsonList,
  jsonRecord,
  jsonText,
  jsonUint,
} from "../../protocol/json-shape.ts";
import { WireError } from "../../protocol/wire-error.ts";
import type { Sampling } from "./sampling.ts";
import type { Transcript } from "./verify.ts";

/** A transcript that names its model. */
export interface NamedTranscript extends Transcript {
  /** CID of its manifest. */
  readonly model: Cid;
}

const HASH_BYTES = 32;
const MAX_POSITIONS = 65_536;

/** 32 bytes as 64 lower-case hexadecimal digits. */
const jsonHash: JsonShape<Uint8Array> = {
  write: toHex,
  read(value, at = "") {
    const text = jsonText(2 * HASH_BYTES).read(value, at);
    if (!/^[0-9a-f]{64}$/u.test(text)) throw new WireError(`${at} is not 64 hexadecimal digits`);
    return Uint8Array.from({ length: HASH_BYTES }, (_, i) =>
      Number.parseInt(text.slice(2 * i, 2 * i + 2), 16),
    );
  },
};

const samplingJson: JsonShape<Sampling> = jsonRecord<Sampling>({
  temperatureMilli: jsonUint(1_000_000),
  topK: jsonUint(1_000_000),
  topPMilli: jsonUint(1_000),
  seed: jsonHash,
});

/** As the command line writes and reads it. */
export const transcriptJson: JsonShape<NamedTranscript> = jsonRecord<NamedTranscript>({
  model: jsonCid,
  promptTokens: jsonUint(MAX_POSITIONS),
  tokens: jsonList(jsonUint(1_000_000), MAX_POSITIONS + 1),
  sampling: samplingJson,
  links: jsonList(jsonHash, MAX_POSITIONS),
});
