import { MAX_PROMPT_BYTES } from "../../protocol/limits.ts";
import { MAX_EMBED_INPUTS } from "./limits.ts";
import { RequestFields } from "./request-fields.ts";

export interface EmbeddingOrder {
  /** Name or CID. */
  readonly model: string;
  readonly texts: readonly string[];
  readonly encoding: "float" | "base64";
  /** Values of each vector, where the request says so; has to be as many as the model gives. */
  readonly dimensions?: number;
}

function textsOf(fields: RequestFields): readonly string[] {
  const value = fields.take("input");
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.length === 0 || list.length > MAX_EMBED_INPUTS)
    return fields.fail("input", `has to be a text, or 1 to ${MAX_EMBED_INPUTS} of them.`);
  if (list.some((each) => typeof each === "number" || Array.isArray(each)))
    return fields.fail(
      "input",
      "is tokens; only texts are taken here, which the model's own tokenizer cuts up.",
    );
  return list.map((each, index) => {
    if (typeof each !== "string" || each === "")
      return fields.fail("input", `[${index}] is not a text, or empty.`);
    if (Buffer.byteLength(each) > MAX_PROMPT_BYTES)
      return fields.fail("input", `[${index}] has more than ${MAX_PROMPT_BYTES} bytes.`);
    return each;
  });
}

function encodingOf(fields: RequestFields): EmbeddingOrder["encoding"] {
  const encoding = fields.text("encoding_format") ?? "float";
  if (encoding === "float" || encoding === "base64") return encoding;
  return fields.fail("encoding_format", "is neither 'float' nor 'base64'.");
}

/** Reads the body of POST /v1/embeddings. @throws GatewayError 400 naming the field */
export function readEmbeddingRequest(body: unknown): EmbeddingOrder {
  const fields = new RequestFields(body);
  const model = fields.requiredText("model");
  const texts = textsOf(fields);
  const encoding = encodingOf(fields);
  const dimensions = fields.whole("dimensions", 1, 65_535);
  fields.pass("user");
  fields.end();
  return { model, texts, encoding, ...(dimensions === undefined ? {} : { dimensions }) };
}
