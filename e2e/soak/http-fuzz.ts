import { createRelayClient } from "../../src/mesh/relay-client.ts";
import { keyFromPeerId } from "../../src/protocol/peer-id.ts";
import { ORIGIN } from "../../src/relay/books/books-scene.contract.ts";
import { draw } from "./chance.ts";
import { HttpInputs } from "./http-inputs.ts";
import { kindOf, wrongWith } from "./http-judge.ts";
import { type OpenApiDocument, type Operation, operationsOf } from "./http-operations.ts";
import { tellPrologue } from "./http-prologue.ts";
import { closeConnections, send } from "./http-send.ts";
import { KeptLog } from "./kept-log.ts";
import { MessageMaker } from "./message-maker.ts";
import { castOf, RelayLoad } from "./relay-load.ts";
import { type Held, TriedRelay } from "./tried-relay.ts";

/** Requests under way at a time. */
const AT_ONCE = 64;
const REQUESTERS = 2;
/** Honest work goes on all the while, between two reports of a lease for so many milliseconds. */
const PAUSE_MS = 100;

/**
 * What a relay's heap may grow by between a tenth of the inputs and all of them, bytes after a collection. It keeps what
 * was asked for last: up to twice 16,384 jobs, leases and accounts of 1 to 2 KiB each, 8,192 keys, as many delegations,
 * and a bucket for each of 10,000 addresses. A leak of 100 bytes a request would be 90 MB in a million.
 */
export const HEAP_BOUND: number = 64 * 1024 * 1024;

/** A relay in a process of its own, and requests that nobody in his right mind would send. */
export class HttpFuzz {
  readonly #relay: TriedRelay;
  readonly #url: URL;
  readonly #document: OpenApiDocument;
  readonly #inputs: HttpInputs;
  readonly #load: RelayLoad;
  readonly #learnt: RelayLoad;
  readonly #log: KeptLog;
  readonly operations: readonly Operation[];
  /** Inputs by the name of the operation they were made from. */
  readonly sent = new Map<string, number>();
  /** Operations that were done, by how often. */
  readonly done = new Map<string, number>();
  /** Replies by kind. */
  readonly replies = new Map<string, number>();
  readonly findings: string[] = [];

  private constructor(
    relay: TriedRelay,
    url: URL,
    document: OpenApiDocument,
    parts: { inputs: HttpInputs; load: RelayLoad; learnt: RelayLoad; log: KeptLog },
  ) {
    this.#relay = relay;
    this.#url = url;
    this.#document = document;
    this.operations = operationsOf(document);
    this.#inputs = parts.inputs;
    this.#load = parts.load;
    this.#learnt = parts.learnt;
    this.#log = parts.log;
  }

  /** @param folder of the relay's data, empty. */
  static async start(folder: string): Promise<HttpFuzz> {
    const relay = new TriedRelay({
      dataDir: folder,
      origin: ORIGIN,
      logLevel: "error",
      trustedProxies: ["127.0.0.0/8"],
      blobCapBytes: 64 * 1024 * 1024,
    });
    const url = new URL(await relay.ready);
    const document = (await (await fetch(new URL("/openapi.json", url))).json()) as OpenApiDocument;
    const operations = operationsOf(document);
    const plain = createRelayClient({ baseUrl: url.origin, fetch });
    const info = await plain.info();
    const odd = { name: "odd", abi: "wasi-p1", requesters: REQUESTERS, pauseMs: PAUSE_MS } as const;
    const cast = castOf({ ...odd, fetch });
    const inputs = new HttpInputs(operations, await MessageMaker.create(info, cast, 1));
    const learning = learningFetch(operations, inputs);
    const log = new KeptLog(ORIGIN, keyFromPeerId(info.keys.log));
    // What is learnt from others is turned against themselves: they may run out of money or revoke their own keys.
    const mirror = new KeptLog(ORIGIN, keyFromPeerId(info.keys.log));
    const learnt = await RelayLoad.start(url.origin, mirror, { ...odd, fetch: learning });
    const load = await RelayLoad.start(url.origin, log, { ...odd, name: "honest", abi: "bytes-1", fetch });
    const fuzz = new HttpFuzz(relay, url, document, { inputs, load, learnt, log });
    const client = createRelayClient({ baseUrl: url.origin, fetch: learning });
    await fuzz.#underLoad();
    const requester = cast.at(-1);
    if (requester === undefined) throw new Error("nobody requests");
    const { apiKey, model, samples } = await tellPrologue(client, info, requester);
    inputs.keys.push(apiKey);
    inputs.names.push(model, "another-model");
    for (const sample of samples) inputs.learn(`POST ${sample.path}`, sample);
    return fuzz;
  }

  /** Jobs and reports have gone through. */
  async #underLoad(): Promise<void> {
    const until = Date.now() + 15_000;
    while (Math.min(this.#learnt.jobs, this.#load.jobs) < REQUESTERS && Date.now() < until)
      await new Promise((resolve) => {
        setTimeout(resolve, 20);
      });
  }

  /** Sends the inputs from `from` up to `to`; stops early when aborted or when the relay is gone. @returns the next one */
  async run(from: number, to: number, signal?: AbortSignal): Promise<number> {
    let next = from;
    const goesOn = (): boolean => next < to && signal?.aborted !== true && !this.#relay.isOver;
    const one = async (): Promise<void> => {
      while (goesOn()) {
        next += 1;
        await this.#input(next - 1);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, one));
    if (this.#relay.isOver) this.findings.push(`the relay has ended: ${await this.#relay.ended}`);
    return next;
  }

  async #input(round: number): Promise<void> {
    const by = draw("http-fuzz", round);
    const input = await this.#inputs.make(by);
    const { operation, method, path, manner } = input;
    const streams = "text/event-stream" in operation.gives;
    const reply = await send(this.#url, input, streams, by);
    count(this.sent, operation.name);
    count(this.replies, kindOf(reply));
    if (typeof reply === "object" && reply.status < 300 && method === operation.method) {
      count(this.done, operation.name);
      // What was answered well leads on.
      if (manner === "whole" && !streams)
        this.#inputs.learn(operation.name, { path, body: input.body, headers: {} });
    }
    const wrong = wrongWith(input, reply, streams, this.#document);
    if (wrong !== undefined)
      this.findings.push(
        `input ${round}, ${manner}, ${method} ${path.slice(0, 300)} ${JSON.stringify(input.headers).slice(0, 300)} ${Buffer.from(
          input.body ?? [],
        )
          .toString("latin1")
          .slice(0, 600)}: ${wrong}`,
      );
  }

  /** What the relay holds now. */
  async held(): Promise<Held> {
    return this.#relay.held();
  }

  /** Ends the honest work, which has to have gone on and to be in the log, and the relay. */
  async stop(): Promise<void> {
    await Promise.all([this.#load.stop(), this.#learnt.stop()]);
    if (!this.#relay.isOver) {
      await this.#log.check(createRelayClient({ baseUrl: this.#url.origin, fetch }), true);
      const health = await fetch(new URL("/healthz", this.#url));
      if (!health.ok) this.findings.push(`the relay is not well: ${await health.text()}`);
    }
    this.findings.push(...this.#log.problems.map((problem) => `honest work: ${problem}`));
    closeConnections();
    await this.#relay.stop();
    if (this.#relay.output !== "") this.findings.push(`the relay has logged errors: ${this.#relay.output}`);
  }

  /** Reports of honest clients that were logged meanwhile. */
  get honest(): number {
    return this.#load.reports;
  }
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

/** Sends as `fetch` does, and remembers what was answered well. */
function learningFetch(operations: readonly Operation[], inputs: HttpInputs): typeof fetch {
  const patterns = operations.map(({ name, method, path }) => ({
    name,
    method,
    pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/gu, "[^/]+")}$`, "u"),
  }));
  return async (input, init = {}) => {
    const response = await fetch(input, init);
    const { pathname, search } = new URL(input instanceof Request ? input.url : input);
    const found = patterns.find(
      ({ method, pattern }) => method === (init.method ?? "GET") && pattern.test(pathname),
    );
    const body = init.body instanceof Uint8Array ? init.body : undefined;
    // A relay's answers to what is large are learnt from what is small.
    if (response.ok && found !== undefined && (body?.length ?? 0) < 100_000)
      inputs.learn(found.name, { path: pathname + search, body, headers: {} });
    return response;
  };
}
