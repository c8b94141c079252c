// oxlint-disable-next-line typescript/triple-slash-reference -- what the bundler makes of "?worker&url"
/// <reference path="../../src/app/state/bundled.d.ts" />
import { createTabMesh } from "../../src/mesh/tab-mesh.ts";
import { SEED_BYTES } from "../../src/protocol/ed25519.ts";
import { startSessionIdentity } from "../../src/protocol/session-identity.ts";
import { defaultWorkers } from "../../src/provider/start-provider.ts";
import { ProviderRun } from "../../src/provider/provider-run.ts";
import { ThreadStarter } from "../../src/provider/thread-starter.ts";
import { openBrowserStore } from "../../src/storage/browser-store.ts";
// oxlint-disable-next-line import/default -- made by the bundler
import script from "../../workers/sandbox.worker.ts?worker&url";
import { answerBare } from "./bare-protocols.ts";

const MEMORY_BYTES: number = 512 * 1024 * 1024;

/** Starts what the app starts when its switch is pressed, and answers bare streams on the same mesh. */
export async function provide(): Promise<void> {
  const store = await openBrowserStore("bench");
  const identity = await store.identity.ensure();
  const threads = new ThreadStarter({ frame: "/sandbox.html", script });
  await ProviderRun.start(
    {
      relayUrl: location.origin,
      session: () =>
        startSessionIdentity(
          crypto.subtle,
          { root: identity.seed, session: crypto.getRandomValues(new Uint8Array(SEED_BYTES)) },
          Date.now(),
        ),
      pins: store.relays,
      outbox: store.outbox,
      holdings: store.holdings,
      openings: store.openings,
      cache: store.blobs,
      workers: defaultWorkers(),
      memoryBytes: MEMORY_BYTES,
      startThread: () => threads.start(),
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
      onOpenings: () => undefined,
      onWrongAnswer: (failure) => {
        throw failure;
      },
      onBarred: () => undefined,
    },
  );
}
