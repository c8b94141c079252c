/** What the relay asks of its thread of probe-main.ts, and what it answers. */
export interface ProbeCall {
  readonly kernels: "wasm-rows" | "wasm-row";
  readonly seed: Uint8Array;
  readonly passes: number;
}

export interface ProbeAnswer {
  readonly output: Uint8Array;
  readonly fuel: bigint;
}

export function isProbeCall(message: unknown): message is ProbeCall {
  return (
    typeof message === "object" &&
    message !== null &&
    "kernels" in message &&
    (message.kernels === "wasm-rows" || message.kernels === "wasm-row") &&
    "seed" in message &&
    message.seed instanceof Uint8Array &&
    "passes" in message &&
    typeof message.passes === "number"
  );
}

export function isProbeAnswer(message: unknown): message is ProbeAnswer {
  return (
    typeof message === "object" &&
    message !== null &&
    "output" in message &&
    message.output instanceof Uint8Array &&
    "fuel" in message &&
    typeof message.fuel === "bigint"
  );
}
