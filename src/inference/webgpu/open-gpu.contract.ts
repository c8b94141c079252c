/* A GPU for tests, which is there or the test fails. */
import { type Gpu, openGpu, type OpenGpuOptions } from "./open-gpu.ts";

export async function readyGpu(options: OpenGpuOptions = {}): Promise<Gpu> {
  const opened = await openGpu(options);
  if (opened.kind === "refused") throw new Error(`${opened.reason}: ${opened.detail}`);
  return opened.gpu;
}
