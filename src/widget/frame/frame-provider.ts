import type { Provider } from "../../provider/provider-state.ts";
import type { SessionIdentity } from "../../protocol/session-identity.ts";
import type { SiteId } from "../../protocol/site.ts";
import { EMBED_CPU_PERCENT, EMBED_MONTHLY_MB, EMBED_WORKERS } from "../limits.ts";
// oxlint-disable-next-line import/default -- made by the bundler, see bundled.d.ts
import script from "../../../workers/sandbox.worker.ts?worker&url";

export interface FrameProviderOptions {
  readonly relayUrl: string;
  readonly site: SiteId;
  readonly session: SessionIdentity;
}

/**
 * Loads mesh and provider, which nobody downloads before they agree. What waits for the relay is kept in memory where the
 * browser lets a frame keep nothing. No models: they are files of hundreds of megabytes.
 */
export async function openFrameProvider({
  relayUrl,
  site,
  session,
}: FrameProviderOptions): Promise<Provider> {
  const [{ createTabProvider }, { openEmbedMemory }] = await Promise.all([
    import("../../provider/start-provider.ts"),
    import("../../provider/embed-memory.ts"),
  ]);
  return createTabProvider({
    relayUrl,
    store: await openEmbedMemory(),
    session,
    // The frame of the sandbox asks for leave to stand in this site's pages, as this one did.
    sandbox: { frame: `/sandbox.html?site=${site}`, script },
    limits: {
      cpuPercent: EMBED_CPU_PERCENT,
      workers: EMBED_WORKERS,
      gpu: false,
      monthlyMegabytes: EMBED_MONTHLY_MB,
      onlyWhenCharging: true,
      onlyWhenIdle: false,
      onlyUnmetered: false,
      pauseWhenHidden: true,
      pauseAtPressure: "serious",
      pauseOnSaveData: true,
    },
  });
}
