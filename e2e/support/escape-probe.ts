/**
 * What code in a function's thread could try if it ever got out of WebAssembly. Runs as a worker's script and posts
 * `[name, what came of it]` for each way over the line it is given; "denied: …" where the engine said no, and nothing at
 * all where it stayed silent. @param outside origin of a stranger's server. @param relay origin of the page.
 */
export function escapeProbe(outside: string, relay: string): string {
  return `
const OUTSIDE = ${JSON.stringify(outside)};
const RELAY = ${JSON.stringify(relay)};
const says = (value) => new Promise((resolve, reject) => { value.onsuccess = () => resolve("opened"); value.onerror = () => reject(value.error ?? "error"); });
const event = (target, good, bad) => new Promise((resolve, reject) => {
  target.addEventListener(good, () => resolve(good)); target.addEventListener(bad, () => reject(bad)); });
const blob = (text) => URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
const started = async (url, options) => { const inner = new Worker(url, options); return event(inner, "message", "error"); };
const HELLO = "postMessage(1)";
const WAYS = {
  indexedDB: () => says(indexedDB.open("leak")),
  caches: async () => { await caches.open("leak"); return "opened"; },
  "origin-private files": async () => { await navigator.storage.getDirectory(); return "opened"; },
  localStorage: () => localStorage.getItem("x") ?? "opened",
  sessionStorage: () => sessionStorage.getItem("x") ?? "opened",
  cookies: async () => { await cookieStore.getAll(); return "opened"; },
  locks: async () => navigator.locks.request("tabmesh-provider", { ifAvailable: true }, (lock) => lock === null ? "seen" : "taken"),
  "thread from a blob": () => started(blob(HELLO)),
  "thread from data": () => started("data:text/javascript," + HELLO),
  "thread from the relay": () => started(RELAY + "/service-worker.js"),
  "shared thread": () => event(new SharedWorker(blob("onconnect = ({ ports }) => ports[0].postMessage(1)")).port, "message", "error"),
  "service worker": async () => { await navigator.serviceWorker.register(RELAY + "/service-worker.js"); return "registered"; },
  "import of the relay": async () => { await import(RELAY + "/service-worker.js"); return "imported"; },
  "import of a stranger": async () => { await import(OUTSIDE + "/import"); return "imported"; },
  "import of data": async () => { await import("data:text/javascript,export default 1"); return "imported"; },
  "import of a blob": async () => { await import(blob("export default 1")); return "imported"; },
  "importScripts of a stranger": () => { importScripts(OUTSIDE + "/import-scripts"); return "imported"; },
  "importScripts of the relay": () => { importScripts(RELAY + "/service-worker.js"); return "imported"; },
  "importScripts of a blob": () => { importScripts(blob("1")); return "imported"; },
  "importScripts of data": () => { importScripts("data:text/javascript,1"); return "imported"; },
  "fetch of a stranger": async () => { await fetch(OUTSIDE + "/fetch"); return "fetched"; },
  "fetch without an answer": async () => { await fetch(OUTSIDE + "/no-cors", { mode: "no-cors", keepalive: true }); return "fetched"; },
  "fetch of the relay": async () => { await fetch(RELAY + "/v1/relay"); return "fetched"; },
  "fetch of data": async () => { await fetch("data:,x"); return "fetched"; },
  XMLHttpRequest: () => { const ask = new XMLHttpRequest(); ask.open("GET", OUTSIDE + "/xhr"); const end = event(ask, "load", "error"); ask.send(); return end; },
  WebSocket: () => event(new WebSocket(OUTSIDE.replace("http", "ws")), "open", "error"),
  "WebSocket of the relay": () => event(new WebSocket(RELAY.replace("http", "ws")), "open", "error"),
  WebSocketStream: async () => { await new WebSocketStream(OUTSIDE.replace("http", "ws")).opened; return "opened"; },
  WebTransport: async () => { await new WebTransport(OUTSIDE.replace("http", "https")).ready; return "opened"; },
  EventSource: () => event(new EventSource(OUTSIDE + "/events"), "open", "error"),
  RTCPeerConnection: () => { new RTCPeerConnection({ iceServers: [] }).createDataChannel("x"); return "made"; },
  "a font": async () => { const font = new FontFace("x", "url(" + OUTSIDE + "/font)"); await font.load(); return "loaded"; },
  eval: () => (0, eval)("'evaluated'"),
  Function: () => new Function("return 'evaluated'")(),
  "Function by a constructor": () => (async () => undefined).constructor("return 'evaluated'")(),
};
const talk = (name) => (text) => self.line.postMessage([name, text]);
async function attempt(name, way) {
  try { talk(name)(String(await way())); }
  catch (error) { talk(name)("denied: " + String(error?.name ?? error)); }
}
addEventListener("message", async ({ ports }) => {
  self.line = ports[0];
  try {
    const channel = new BroadcastChannel("leak");
    channel.onmessage = ({ data }) => self.line.postMessage(["heard", data]);
    channel.postMessage("from the thread");
  } catch {}
  // Some engines refuse to send it, others to read it.
  try { self.line.postMessage(["shared memory handed over", new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer]); } catch {}
  const all = Object.entries(WAYS).map(([name, way]) => attempt(name, way));
  self.line.postMessage(["origin", String(self.origin ?? "none")]);
  self.line.postMessage(["compiles", String(new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)) instanceof WebAssembly.Module)]);
  self.line.postMessage(["names", Object.keys(WAYS).join("|")]);
  self.line.onmessage = () => self.line.postMessage(["pong", ""]);
}, { once: true });
`;
}

/** Says of which global names there is still something, and whether WebAssembly works. */
export const NAMES_PROBE: string = `
addEventListener("message", ({ ports: [line] }) => {
  for (const name of ["indexedDB", "caches", "navigator", "BroadcastChannel", "Worker", "SharedWorker", "importScripts", "fetch",
    "XMLHttpRequest", "WebSocket", "WebSocketStream", "WebTransport", "EventSource", "RTCPeerConnection", "FontFace", "Notification",
    "cookieStore", "eval", "SharedArrayBuffer", "Blob", "URL", "setTimeout", "performance", "Date", "trustedTypes", "location"])
    line.postMessage([name, typeof globalThis[name]]);
  line.postMessage(["WebAssembly", String(new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)) instanceof WebAssembly.Module)]);
}, { once: true });
`;

/**
 * Runs in a page: starts a script where functions run, or as a plain worker of the page for comparison, and collects what
 * it says for a while. Self-contained, since it is sent to the browser as text.
 */
export async function runProbe({
  script,
  where,
}: {
  readonly script: string;
  readonly where: "frame" | "page";
}): Promise<Record<string, string>> {
  const heard: Record<string, string> = {};
  const channel = new BroadcastChannel("leak");
  channel.addEventListener("message", ({ data }) => {
    heard["broadcast"] = String(data);
  });
  const { port1: line, port2: theirs } = new MessageChannel();
  line.addEventListener("message", ({ data }) => {
    if (Array.isArray(data)) heard[String(data[0])] = String(data[1]);
  });
  line.addEventListener("messageerror", () => {
    heard["unreadable"] = "a message could not be read";
  });
  line.start();
  if (where === "frame") {
    const frame = document.createElement("iframe");
    frame.setAttribute("sandbox", "allow-scripts");
    frame.hidden = true;
    frame.src = "/sandbox.html";
    const isLoaded = new Promise((resolve) => frame.addEventListener("load", resolve));
    document.body.append(frame);
    await isLoaded;
    const control = new MessageChannel();
    frame.contentWindow?.postMessage("connect", "*", [control.port2]);
    control.port1.addEventListener("message", ({ data }) => {
      if (data.kind === "died") heard["died"] = String(data.reason);
    });
    control.port1.start();
    control.port1.postMessage({ kind: "script", text: script }, []);
    control.port1.postMessage({ kind: "start", id: 0 }, [theirs]);
  } else {
    const url = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
    new Worker(url).postMessage("line", [theirs]);
  }
  for (let turn = 0; turn < 6; turn += 1) {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel has none
    channel.postMessage("from the page");
    line.postMessage("ping", []);
    await new Promise((resolve) => {
      setTimeout(resolve, 500);
    });
  }
  return heard;
}
