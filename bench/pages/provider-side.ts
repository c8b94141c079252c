import { createTabMesh } from "../../src/mesh/tab-mesh.ts";
import { defaultWorkers } from "../../src/provider/start-provider.ts";
import { ProviderRun } from "../../src/provider/provider-run.ts";
import { startSandboxThread } from "../../src/provider/sandbox-thread.ts";
import { openBrowserStore } from "../../src/storage/browser-store.ts";
import { answerBare } from "./bare-protocols.ts";

const MEMORY_BYTES: number = 512 * 1024 * 1024;

/** Starts what the app starts when its switch is pressed, and answers bare streams on the same mesh. */
export async function provide(): Promise<void> {
  const store = await openBrowserStore("bench");
  const identity = await store.identity.ensure();
  await ProviderRun.start(
    {
      relayUrl: location.origin,
      rootSeed: identity.seed,
      pins: store.relays,
      outbox: store.outbox,
      cache: store.blobs,
      workers: defaultWorkers(),
      memoryBytes: MEMORY_BYTES,
      startThread: () =>
        startSandboxThread(
          () => new Worker(new URL("../../workers/sandbox.worker.ts", import.meta.url), { type: "module" }),
        ),
      async createMesh(options) {
        const mesh = await createTabMesh(options);
        answerBare(mesh);
        return mesh;
      },
    },
    {
      onReady: () => undefined,
      onLost: (failure) => {
        throw failure;
      },
      onActivity: () => undefined,
      onOutbox: () => undefined,
    },
  );
}
