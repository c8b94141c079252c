import { RequestFields } from "./request-fields.ts";

/** Whether the answer comes in pieces, and what its last piece tells. */
export interface StreamParameters {
  readonly stream: boolean;
  /** A last chunk tells what was used. */
  readonly includeUsage: boolean;
}

export function readStreamParameters(fields: RequestFields): StreamParameters {
  const stream = fields.flag("stream");
  const options = fields.take("stream_options");
  if (options === undefined) return { stream, includeUsage: false };
  if (!stream) fields.fail("stream_options", "goes with 'stream': true.");
  const inner = new RequestFields(options, "stream_options.");
  const includeUsage = inner.flag("include_usage");
  // Padding against observers of lengths: the connection's own encryption is the relay's operator's to give.
  inner.pass("include_obfuscation");
  inner.end();
  return { stream, includeUsage };
}
