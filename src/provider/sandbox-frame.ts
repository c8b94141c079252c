import { FRAME_ANSWER_MS, FRAME_LOAD_MS, FRAME_PING_MS, FRAME_PINGS_OWED } from "./limits.ts";
import type { ThreadHost } from "./thread-host.ts";

/**
 * Who takes the frame's origin away. `attribute`: this page, whatever was loaded; then the service worker does not serve
 * the document. `header`: the document's own policy, so that the service worker can serve it when the relay is away; a
 * document that still has the page's origin refuses to answer.
 */
type TakenBy = "attribute" | "header";

/**
 * A hidden frame without an origin in which threads live.
 * @returns undefined when it does not come up
 */
export async function openSandboxFrame(
  url: string,
  script: string,
  takenBy: TakenBy,
): Promise<ThreadHost | undefined> {
  const frame = document.createElement("iframe");
  if (takenBy === "attribute") frame.setAttribute("sandbox", "allow-scripts");
  frame.hidden = true;
  frame.title = "Sandbox";
  frame.src = url;
  const isLoaded = new Promise<void>((resolve) => {
    frame.addEventListener("load", () => resolve(), { once: true });
    setTimeout(resolve, FRAME_LOAD_MS);
  });
  document.body.append(frame);
  await isLoaded;
  const { port1: line, port2 } = new MessageChannel();
  // The frame has no origin that could be named.
  frame.contentWindow?.postMessage("connect", "*", [port2]);
  if (!(await isOpen(line))) {
    frame.remove();
    line.close();
    return undefined;
  }
  line.postMessage({ kind: "script", text: script }, []);
  return hostIn(frame, line);
}

function isOpen(line: MessagePort): Promise<boolean> {
  return new Promise((resolve) => {
    line.addEventListener("message", ({ data }) => resolve(fieldOf(data, "kind") === "open"), { once: true });
    line.start();
    setTimeout(() => resolve(false), FRAME_ANSWER_MS);
  });
}

function hostIn(frame: HTMLIFrameElement, line: MessagePort): ThreadHost {
  const deaths = new Map<number, (reason: string) => void>();
  const { promise: lost, resolve: lose } = Promise.withResolvers<string>();
  let started = 0;
  let owed = 0;
  line.addEventListener("message", ({ data }) => {
    const id = fieldOf(data, "id");
    const reason = fieldOf(data, "reason");
    if (fieldOf(data, "kind") === "pong") owed = 0;
    if (fieldOf(data, "kind") !== "died" || typeof id !== "number") return;
    deaths.get(id)?.(typeof reason === "string" ? reason : "");
  });
  const pinging = setInterval(() => {
    if (owed >= FRAME_PINGS_OWED) close("the frame of the sandbox is gone");
    owed += 1;
    line.postMessage({ kind: "ping" }, []);
  }, FRAME_PING_MS);
  function close(reason: string): void {
    clearInterval(pinging);
    line.close();
    frame.remove();
    lose(reason);
  }
  return {
    isolation: "frame",
    lost,
    start(threadLine, onDeath) {
      const id = started;
      started += 1;
      deaths.set(id, onDeath);
      line.postMessage({ kind: "start", id }, [threadLine]);
      return () => {
        deaths.delete(id);
        line.postMessage({ kind: "end", id }, []);
      };
    },
    close: () => close("the frame of the sandbox was closed"),
  };
}

function fieldOf(data: unknown, name: string): unknown {
  return typeof data === "object" && data !== null ? new Map(Object.entries(data)).get(name) : undefined;
}
