import { setTimeout as delay } from "node:timers/promises";
import { mkdir } from "node:fs/promises";
import { createRelayClient, type RelayClient } from "../../src/mesh/relay-client.ts";
import { decodeEntry, decodeEntryOf } from "../../src/protocol/messages/entry.ts";
import { keyFromPeerId } from "../../src/protocol/peer-id.ts";
import { ORIGIN } from "../../src/relay/books/books-scene.contract.ts";
import { checkBooks } from "../../src/relay/books/check-books.ts";
import { dataPaths } from "../../src/relay/data-dir.ts";
import { openSqliteStore } from "../../src/relay/store/sqlite-store.ts";
import type { RelayConfig } from "../../src/relay/config.ts";
import { freePort } from "../support/relay-process.ts";
import { draw } from "./chance.ts";
import type { Fault } from "./faults.ts";
import { type Kept, KeptLog } from "./kept-log.ts";
import { RelayLoad } from "./relay-load.ts";
import { TriedRelay } from "./tried-relay.ts";

/** How one life of a relay ends. */
export type End =
  | { readonly kind: "at any time" }
  | { readonly kind: "while it starts"; readonly afterMs: number }
  | { readonly kind: "at a step"; readonly fault: Fault };

interface Plan {
  readonly end: End;
  /** Under load before the end begins, milliseconds. */
  readonly afterMs: number;
}

/** After a fault was given, this long is waited for it to come; then the relay is killed as at any time. */
const FAULT_WAIT_MS = 1_500;
/** A life counts as under load after so many reports; providers are back by then, or it is not waited for any longer. */
const UNDER_LOAD = 8;
const LOAD_WAIT_MS = 4_000;
/** A relay goes on for so long after a step of it has failed, milliseconds. */
const AFTER_FAILURE_MS = 250;

const kill = (at: Fault["at"]): End => ({
  kind: "at a step",
  fault: { at, does: "kill", skip: 0, delayUs: 0 },
});
const fail = (at: Fault["at"]): End => ({
  kind: "at a step",
  fault: { at, does: "fail", skip: 0, delayUs: 0 },
});

/** Every way in which a life ends, one after the other. */
const ENDS: readonly End[] = [
  { kind: "at any time" },
  kill("begin"),
  kill("row"),
  kill("commit"),
  kill("during"),
  kill("committed"),
  kill("sign"),
  kill("signed"),
  fail("row"),
  fail("commit"),
  fail("committed"),
  { kind: "while it starts", afterMs: 0 },
  fail("sign"),
  kill("during"),
  fail("begin"),
];

/** @param life from 0. */
function planOf(life: number, mostMs: number): Plan {
  const by = draw("relay-lives", life);
  const end = ENDS[life % ENDS.length] ?? { kind: "at any time" };
  const afterMs = 30 + by(mostMs);
  if (end.kind === "while it starts") return { end: { ...end, afterMs: 100 + by(900) }, afterMs };
  if (end.kind !== "at a step") return { end, afterMs };
  return { end: { ...end, fault: { ...end.fault, skip: by(4), delayUs: by(2_500) } }, afterMs };
}

/** A relay's data over all of its lives, JSON. */
export interface LivesState {
  readonly lives: number;
  readonly logKey: string;
  readonly kept: Kept;
  readonly reports: number;
  readonly jobs: number;
  readonly ends: Readonly<Record<string, number>>;
}

export interface LivesOptions {
  /** Keeps the relay's data; empty at the first life. */
  readonly folder: string;
  readonly state?: LivesState | undefined;
  /** Longest life under load, milliseconds. */
  readonly mostMs: number;
}

/** A relay that is killed again and again under load, and looked at after each time. */
export class RelayLives {
  readonly #config: Partial<RelayConfig>;
  readonly #mostMs: number;
  readonly #client: RelayClient;
  readonly #before: LivesState | undefined;
  readonly #ends: Map<string, number>;
  readonly log: KeptLog;
  readonly #logKey: string;
  #relay: TriedRelay;
  readonly #load: RelayLoad;
  lives: number;

  private constructor(
    options: LivesOptions,
    config: Partial<RelayConfig>,
    first: { relay: TriedRelay; client: RelayClient; log: KeptLog; logKey: string; load: RelayLoad },
  ) {
    this.#config = config;
    this.#mostMs = options.mostMs;
    this.#before = options.state;
    this.#ends = new Map(Object.entries(options.state?.ends ?? {}));
    this.lives = options.state?.lives ?? 0;
    this.#relay = first.relay;
    this.#client = first.client;
    this.log = first.log;
    this.#logKey = first.logKey;
    this.#load = first.load;
  }

  static async start(options: LivesOptions): Promise<RelayLives> {
    await mkdir(options.folder, { recursive: true });
    const config = {
      dataDir: options.folder,
      origin: ORIGIN,
      port: await freePort(),
      logLevel: "silent",
    } as const;
    const relay = new TriedRelay(config);
    const url = await relay.ready;
    const client = createRelayClient({ baseUrl: url, fetch });
    const { keys } = await client.info();
    const log = new KeptLog(ORIGIN, keyFromPeerId(keys.log), options.state?.kept);
    if ((options.state?.logKey ?? keys.log) !== keys.log)
      log.problems.push("the relay has another log key than before");
    const load = await RelayLoad.start(url, log);
    return new RelayLives(options, config, { relay, client, log, logKey: keys.log, load });
  }

  /** One life to its end, and the beginning of the next, which answers for what the ones before have said. */
  async kill(): Promise<void> {
    const { end, afterMs } = planOf(this.lives, this.#mostMs);
    const { reports } = this.#load;
    // Under load: providers are back, and reports are logged again.
    for (let waited = 0; this.#load.reports < reports + UNDER_LOAD && waited < LOAD_WAIT_MS; waited += 10)
      await delay(10);
    await delay(afterMs);
    const name = await this.#end(end);
    this.#load.relayIsGone();
    this.#ends.set(name, (this.#ends.get(name) ?? 0) + 1);
    this.lives += 1;
    this.#relay = new TriedRelay(this.#config);
    await this.#relay.ready;
    this.#load.relayIsThere();
    await this.log.check(this.#client);
  }

  /** @returns what has come about, for the count. */
  async #end(end: End): Promise<string> {
    const relay = this.#relay;
    if (end.kind === "while it starts") {
      await relay.kill();
      const next = new TriedRelay(this.#config);
      await delay(end.afterMs);
      await next.kill();
      return end.kind;
    }
    if (end.kind === "at any time") {
      await relay.kill();
      return end.kind;
    }
    const { fault } = end;
    relay.arm(fault);
    const isThere = (): boolean => relay.isOver || relay.failed.length > 0;
    for (let waited = 0; !isThere() && waited < FAULT_WAIT_MS; waited += 10) await delay(10);
    if (!isThere()) {
      await relay.kill();
      return "at any time";
    }
    if (fault.does === "kill") {
      if (!relay.isOver) await relay.ended;
      return `killed at ${fault.at}`;
    }
    await delay(AFTER_FAILURE_MS);
    // What was under way at the failure has been answered by now.
    const { reports } = this.#load;
    for (let waited = 0; this.#load.reports === reports && waited < FAULT_WAIT_MS; waited += 10)
      await delay(10);
    if (this.#load.reports === reports)
      this.log.problems.push(`after a failure at ${fault.at} the relay logs nothing any more`);
    await relay.kill();
    return `failed at ${fault.at}`;
  }

  state(): LivesState {
    return {
      lives: this.lives,
      logKey: this.#logKey,
      kept: this.log.toJSON(),
      reports: (this.#before?.reports ?? 0) + this.#load.reports,
      jobs: (this.#before?.jobs ?? 0) + this.#load.jobs,
      ends: Object.fromEntries(this.#ends),
    };
  }

  /** Holds every head and entry ever seen against the log of the relay that lives now. */
  async checkAll(): Promise<void> {
    await this.log.check(this.#client, true);
  }

  /** Ends everything; the data stay. */
  async stop(): Promise<void> {
    await this.#load.stop();
    await this.#relay.stop();
  }
}

/**
 * What is wrong with the books of a dead relay: balances that do not follow from the entries, and money that moved
 * twice. Reads the whole log.
 */
export function examineBooks(folder: string): readonly string[] {
  const store = openSqliteStore(dataPaths(folder).books);
  try {
    const problems = [...checkBooks(store)];
    const settled = new Set<string>();
    const receipts = new Set<string>();
    const size = store.head()?.size ?? 0;
    for (let index = 0; index < size; index += 1) {
      const bytes = store.entry(index);
      if (bytes === undefined) return [...problems, `entry ${index} is missing`];
      const { type } = decodeEntry(bytes);
      if (type === "settle") {
        const { lease } = decodeEntryOf("settle", bytes).body;
        if (settled.has(lease)) problems.push(`lease ${lease} was paid twice`);
        settled.add(lease);
      }
      if (type !== "receipt") continue;
      const { envelope } = decodeEntryOf("receipt", bytes).body;
      const key = Buffer.from(envelope).toString("base64");
      if (receipts.has(key)) problems.push(`entry ${index} has a receipt that was logged before`);
      receipts.add(key);
    }
    return problems;
  } finally {
    store.close();
  }
}
