import { Agent, request } from "node:http";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { Draw } from "./chance.ts";
import type { HttpInput } from "./http-inputs.ts";
import { mutate } from "./mutate.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Uint8Array;
}

/** What became of a request: answered, cut off by the relay, or left open for longer than was waited for. */
export type Reply = Answer | "cut" | "open";

/** Longest wait for an answer, milliseconds: that of the gateway for a provider is 5,000. */
const PATIENCE_MS = 25_000;
/** Of a stream that tells nothing for a while this much is waited for, milliseconds. */
const STREAM_MS = 60;
const RAW_MS = 250;
const SLOW_MS = 15;

const agent = new Agent({ keepAlive: true, maxSockets: 64, scheduling: "lifo" });

export function closeConnections(): void {
  agent.destroy();
}

/** @param streams whether the answer may be a stream without an end: its beginning is enough then */
export async function send(url: URL, input: HttpInput, streams: boolean, by: Draw): Promise<Reply> {
  return input.manner === "raw" ? sendRaw(url, input, by) : sendHttp(url, input, streams, by);
}

async function sendHttp(url: URL, input: HttpInput, streams: boolean, by: Draw): Promise<Reply> {
  const { method, path, headers, body, manner } = input;
  const framing = body === undefined ? {} : framingOf(body, manner);
  const { promise, resolve } = Promise.withResolvers<Reply>();
  const sent = request(
    { host: url.hostname, port: url.port, agent, method, path, headers: { ...headers, ...framing } },
    (response) => {
      const parts: Uint8Array[] = [];
      const finish = (): void =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) });
      response.on("data", (part: Uint8Array) => {
        parts.push(part);
        if (!isStream(response.headers["content-type"]) || !streams) return;
        finish();
        sent.destroy();
      });
      response.once("end", finish);
      response.once("error", () => resolve("cut"));
    },
  );
  const timer = setTimeout(
    () => {
      resolve("open");
      sent.destroy();
    },
    streams || manner === "partial" ? STREAM_MS : PATIENCE_MS,
  );
  sent.once("error", () => resolve("cut"));
  void write(input, by, (part) => sent.write(part)).then(() =>
    manner === "partial" && body !== undefined ? sent.destroy() : sent.end(),
  );
  const reply = await promise;
  clearTimeout(timer);
  return reply;
}

/** Said for every method: Node's client frames a body by itself only where one is usual. */
function framingOf(body: Uint8Array, manner: HttpInput["manner"]): Readonly<Record<string, string>> {
  return manner === "chunks" ? { "transfer-encoding": "chunked" } : { "content-length": String(body.length) };
}

function isStream(type: string | undefined): boolean {
  return type?.startsWith("text/event-stream") === true;
}

async function write({ body, manner }: HttpInput, by: Draw, put: (part: Uint8Array) => void): Promise<void> {
  if (body === undefined) return;
  if (manner === "whole") {
    put(body);
    return;
  }
  const parts = 2 + by(4);
  for (let part = 0; part < parts; part += 1) {
    const [from, to] = [part, part + 1].map((at) => Math.floor((at * body.length) / parts));
    if (manner === "partial" && part === parts - 1) return;
    put(body.subarray(from, to));
    if (manner !== "chunks") await delay(by(SLOW_MS));
  }
}

/** Bytes like those of a request: lengths that are not true, chunks without an end, upgrades, and worse. */
async function sendRaw(url: URL, input: HttpInput, by: Draw): Promise<Reply> {
  const { promise, resolve } = Promise.withResolvers<Reply>();
  const socket = connect(Number(url.port), url.hostname, () => {
    socket.write(rawBytes(input, by));
    if (by(3) === 0) socket.end();
  });
  const parts: Uint8Array[] = [];
  socket.on("data", (part) => parts.push(part));
  socket.once("error", () => resolve("cut"));
  socket.once("close", () => resolve(parseRaw(Buffer.concat(parts))));
  const timer = setTimeout(() => socket.destroy(), RAW_MS);
  const reply = await promise;
  clearTimeout(timer);
  return reply;
}

const LIES = [
  "Content-Length: 5",
  "Content-Length: 99999999999",
  "Content-Length: -1",
  "Content-Length: 1\r\nContent-Length: 2",
  "Transfer-Encoding: chunked",
  "Transfer-Encoding: chunked\r\nContent-Length: 3",
  "Transfer-Encoding: gzip",
  "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
  "Connection: Upgrade\r\nUpgrade: x",
  "Expect: 100-continue\r\nContent-Length: 10",
  `X: ${"y".repeat(20_000)}`,
];

function rawBytes({ method, path, headers, body }: HttpInput, by: Draw): Uint8Array {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const lie = LIES[by(LIES.length)] ?? "";
  const head = `${method} ${path} HTTP/1.1\r\nHost: x\r\n${[...lines, lie].join("\r\n")}\r\n\r\n`;
  const bytes = Buffer.concat([Buffer.from(head), body ?? new Uint8Array()]);
  return by(2) === 0 ? bytes : mutate(bytes, Buffer.from(lie), by);
}

function parseRaw(bytes: Buffer): Reply {
  const status = /^HTTP\/1\.1 (\d{3}) /u.exec(bytes.toString("latin1"))?.[1];
  return status === undefined ? "cut" : { status: Number(status), headers: {}, body: new Uint8Array() };
}
