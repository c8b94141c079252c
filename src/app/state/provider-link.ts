import type { Provider } from "../../provider/provider-state.ts";
import type { TabMemory } from "../../provider/tab-memory.ts";

export interface ProviderOptions {
  readonly relayUrl: string;
  readonly store: TabMemory;
  readonly workers: number;
}

/** The thread for functions, made here so that the bundler finds its file. */
function createSandboxWorker(): Worker {
  return new Worker(new URL("../../../workers/sandbox.worker.ts", import.meta.url), { type: "module" });
}

/** Loads mesh and provider, which nobody downloads before they consent; the sandbox comes with the first thread. */
export async function openProvider(options: ProviderOptions): Promise<Provider> {
  const { createTabProvider } = await import("../../provider/start-provider.ts");
  return createTabProvider({ ...options, createSandboxWorker });
}
