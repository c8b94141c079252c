/** Entry of a thread that verifies signatures: takes packed claims, answers with the entries whose signature does not hold. */
import { parentPort } from "node:worker_threads";
import { verifyNative } from "../books/native-keys.ts";
import { unpackClaims } from "./claim-batch.ts";

if (parentPort === null) throw new TypeError("this file is the entry of a worker thread");
const port = parentPort;
port.on("message", (packed: unknown) => {
  if (!(packed instanceof Uint8Array)) throw new TypeError("packed claims are bytes");
  const forged: number[] = [];
  let count = 0;
  for (const { index, key, message, signature } of unpackClaims(packed)) {
    if (!verifyNative(key, message, signature)) forged.push(index);
    count += 1;
  }
  port.postMessage({ count, forged });
});
