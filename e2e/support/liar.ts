/** Put before the script of a tab's sandbox threads: the first of every five outputs is false, and hashes as if it were right. */
import { sha256 } from "@noble/hashes/sha2.js";

const FALSE_EVERY = 5;
const LONGEST_CHALLENGE_OUTPUT = 64;

interface Answered {
  readonly kind: string;
  readonly output?: Uint8Array;
  outputSha256?: Uint8Array;
}

function isAnswered(value: unknown): value is Answered {
  return typeof value === "object" && value !== null && "kind" in value;
}

// oxlint-disable-next-line unbound-method -- called with its port below
const post = MessagePort.prototype.postMessage;
let done = 0;

function falsify(result: unknown): void {
  if (!isAnswered(result) || result.kind !== "done" || result.output === undefined) return;
  // A challenge of the relay has a short answer: who lies there gets no work to lie in.
  if (result.output.length <= LONGEST_CHALLENGE_OUTPUT) return;
  done += 1;
  if (done % FALSE_EVERY !== 1) return;
  const last = result.output.length - 1;
  result.output[last] = (result.output[last] ?? 0) ^ 1;
  result.outputSha256 = sha256(result.output);
}

Object.defineProperty(MessagePort.prototype, "postMessage", {
  value(this: MessagePort, message: unknown, options?: StructuredSerializeOptions) {
    if (typeof message === "object" && message !== null && "value" in message && Array.isArray(message.value))
      for (const result of message.value) falsify(result);
    post.call(this, message, options);
  },
});
