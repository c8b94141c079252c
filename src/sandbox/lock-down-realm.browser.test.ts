import { expect, it } from "vitest";

/** A worker that locks itself down and then tries every way out that a worker has. */
const PROBE = `
import { lockDownRealm } from ${JSON.stringify(new URL("lock-down-realm.ts", import.meta.url).href)};
const before = {};
const NAMES = [
  "fetch", "XMLHttpRequest", "WebSocket", "WebSocketStream", "WebTransport", "EventSource", "indexedDB", "caches", "importScripts",
  "BroadcastChannel", "Worker", "SharedWorker", "navigator", "location", "Notification", "RTCPeerConnection", "FileReader",
  "FileSystemHandle", "StorageManager", "LockManager", "Request", "Response", "Blob", "URL", "OffscreenCanvas", "eval", "SharedArrayBuffer",
  "setTimeout", "setInterval", "requestAnimationFrame", "performance", "Date", "console", "Scheduler", "scheduler", "trustedTypes",
];
for (const name of NAMES) before[name] = typeof globalThis[name];
const left = lockDownRealm(globalThis);
const after = {};
for (const name of NAMES) after[name] = typeof globalThis[name];
const prototypes = [];
for (let holder = globalThis; holder; holder = Object.getPrototypeOf(holder))
  for (const name of ["fetch", "indexedDB", "caches", "navigator", "importScripts"])
    if (Object.getOwnPropertyDescriptor(holder, name)?.value ?? Object.getOwnPropertyDescriptor(holder, name)?.get) prototypes.push(name);
const works = new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)) instanceof WebAssembly.Module;
postMessage({ left, before, after, prototypes, works });
`;

interface Report {
  left: string[];
  before: Record<string, string>;
  after: Record<string, string>;
  prototypes: string[];
  works: boolean;
}

async function probe(): Promise<Report> {
  const url = URL.createObjectURL(new Blob([PROBE], { type: "text/javascript" }));
  const worker = new Worker(url, { type: "module" });
  try {
    return await new Promise<Report>((resolve, reject) => {
      worker.addEventListener("message", (event: MessageEvent<Report>) => resolve(event.data));
      worker.addEventListener("error", (event) => reject(new Error(event.message)));
    });
  } finally {
    worker.terminate();
    URL.revokeObjectURL(url);
  }
}

it("a locked-down thread has no network, storage, further threads or clocks left, and still compiles", async () => {
  const report = await probe();
  expect(report.before).toMatchObject({
    fetch: "function",
    indexedDB: "object",
    caches: "object",
    Worker: "function",
  });
  expect(Object.entries(report.after).filter(([, type]) => type !== "undefined")).toEqual([]);
  expect(report.prototypes).toEqual([]);
  // Two numbers of a forgotten storage interface, which engines pin down.
  expect(report.left).toEqual(["TEMPORARY", "PERSISTENT"]);
  expect(report.works).toBe(true);
});
