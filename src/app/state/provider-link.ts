import type { EffectGrants } from "../../protocol/effect-grants.ts";
import type { Provider, ProviderLimits } from "../../provider/provider-state.ts";
import type { TabMemory } from "../../provider/tab-memory.ts";
// oxlint-disable-next-line import/default -- made by the bundler, see bundled.d.ts
import modelScript from "../../../workers/inference.worker.ts?worker&url";
// oxlint-disable-next-line import/default -- made by the bundler, see bundled.d.ts
import fetchScript from "../../../workers/fetch.worker.ts?worker&url";
import { SANDBOX_FILES } from "./sandbox-files.ts";

export interface ProviderOptions {
  readonly relayUrl: string;
  readonly store: TabMemory;
  readonly limits: ProviderLimits;
  readonly grants: EffectGrants;
}

/** Loads mesh and provider, which nobody downloads before they consent; the sandbox and models come with their first thread. */
export async function openProvider(options: ProviderOptions): Promise<Provider> {
  const { createTabProvider } = await import("../../provider/start-provider.ts");
  return createTabProvider({
    ...options,
    usage: options.store.usage,
    sandbox: SANDBOX_FILES,
    modelScript,
    fetchScript,
  });
}
