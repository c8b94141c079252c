import { concatBytes } from "../../protocol/bytes.ts";
import { FailureError } from "../../protocol/failure.ts";
import { ANSWER_TIMEOUT_MS, MAX_MESSAGE_REQUEST_BYTES } from "../limits.ts";
import type { RelayContext } from "./http-env.ts";

/**
 * The whole body of a message request.
 * @param take told of bytes before they are kept; what it throws refuses the body
 * @throws FailureError `too-large` above `maxBytes`, `timed-out` when it does not arrive in time.
 */
export async function readMessage(
  c: RelayContext,
  maxBytes: number = MAX_MESSAGE_REQUEST_BYTES,
  take: (bytes: number) => void = () => undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  const announced = Number(c.req.header("content-length") ?? 0);
  if (announced > maxBytes) throw tooLarge(maxBytes);
  const reader = c.req.raw.body?.getReader();
  if (reader === undefined) throw new FailureError("malformed", "the request has no body");
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    reader.cancel().catch(() => undefined);
  }, ANSWER_TIMEOUT_MS);
  try {
    const chunks: Uint8Array[] = [];
    let length = 0;
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- one part after the other
      const { value } = await reader.read();
      if (value === undefined) break;
      length += value.length;
      if (length > maxBytes) throw tooLarge(maxBytes);
      take(value.length);
      chunks.push(value);
    }
    if (late) throw new FailureError("timed-out", `the body did not arrive within ${ANSWER_TIMEOUT_MS} ms`);
    return concatBytes(...chunks);
  } finally {
    clearTimeout(timer);
    reader.cancel().catch(() => undefined);
  }
}

/** Whether a body broke off because its sender has left: no fault of the relay's, and nobody is there to be told. */
export function hasLeft(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ECONNRESET";
}

function tooLarge(maxBytes: number): FailureError {
  return new FailureError("too-large", `a message has at most ${maxBytes} bytes`);
}
