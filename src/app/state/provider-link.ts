import type { Provider, ProviderLimits } from "../../provider/provider-state.ts";
import type { TabMemory } from "../../provider/tab-memory.ts";
// oxlint-disable-next-line import/default -- made by the bundler, see bundled.d.ts
import modelScript from "../../../workers/inference.worker.ts?worker&url";
// oxlint-disable-next-line import/default
import script from "../../../workers/sandbox.worker.ts?worker&url";

export interface ProviderOptions {
  readonly relayUrl: string;
  readonly store: TabMemory;
  readonly limits: ProviderLimits;
}

/** What threads for functions are made from. The bundler puts the script into one file. */
const SANDBOX = { frame: "/sandbox.html", script } as const;

/** Loads mesh and provider, which nobody downloads before they consent; the sandbox and models come with their first thread. */
export async function openProvider(options: ProviderOptions): Promise<Provider> {
  const { createTabProvider } = await import("../../provider/start-provider.ts");
  return createTabProvider({ ...options, sandbox: SANDBOX, modelScript });
}
