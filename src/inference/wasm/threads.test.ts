import { describeBits } from "./decoder.contract.ts";
import { startNodeThread } from "./node-thread.contract.ts";
import { createWasmBackend } from "./wasm-backend.ts";

for (const count of [2, 3])
  describeBits(
    `WebAssembly on ${count} threads`,
    createWasmBackend({ threads: { count, start: startNodeThread } }),
  );
