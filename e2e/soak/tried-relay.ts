import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { RelayConfig } from "../../src/relay/config.ts";
import type { Fault } from "./faults.ts";
import type { Asked, Told } from "./tried-relay-main.ts";

const SCRIPT = fileURLToPath(new URL("tried-relay-main.ts", import.meta.url));
/** A process that starts again and again need not compile everything anew. */
const COMPILED = fileURLToPath(new URL("../../node_modules/.cache/tried-relay", import.meta.url));
/** Of what a relay prints, the last characters are kept. */
const KEPT_OUTPUT = 20_000;

/** What a relay holds after a forced collection, bytes. */
export interface Held {
  readonly heap: number;
  readonly external: number;
  readonly resident: number;
}

/** A whole relay in a process of its own, under conditions that no operator would choose. */
export class TriedRelay {
  readonly #child: ChildProcess;
  readonly #ready = Promise.withResolvers<string>();
  readonly #ended = Promise.withResolvers<string>();
  #held = Promise.withResolvers<Held>();
  #output = "";
  /** Faults that made a step fail. */
  readonly failed: Fault[] = [];
  isOver = false;

  constructor(changes: Partial<RelayConfig>) {
    this.#child = fork(SCRIPT, {
      execArgv: ["--expose-gc"],
      env: { ...process.env, TRIED_RELAY: JSON.stringify(changes), NODE_COMPILE_CACHE: COMPILED },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#output = (this.#output + text).slice(-KEPT_OUTPUT);
      });
    this.#ready.promise.catch(() => undefined);
    this.#child.on("message", (message) => this.#hear(message as Told));
    this.#child.once("exit", (code, signal) => {
      this.isOver = true;
      const how = signal ?? `exit code ${code}`;
      const error = new Error(`the relay has ended: ${how}\n${this.#output}`);
      this.#ready.reject(error);
      this.#held.promise.catch(() => undefined);
      this.#held.reject(error);
      this.#ended.resolve(how);
    });
  }

  /** Its address, once it answers. @throws Error when it ends before. */
  get ready(): Promise<string> {
    return this.#ready.promise;
  }

  /** "SIGKILL", "exit code 0", … */
  get ended(): Promise<string> {
    return this.#ended.promise;
  }

  /** The end of what it printed. */
  get output(): string {
    return this.#output;
  }

  arm(fault: Fault): void {
    this.#ask({ fault });
  }

  /** @throws Error when the relay is not there any more. */
  async held(): Promise<Held> {
    this.#held = Promise.withResolvers<Held>();
    this.#ask({ held: true });
    return this.#held.promise;
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.ended;
  }

  /** In order. */
  async stop(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    await this.ended;
  }

  #ask(asked: Asked): void {
    // The process may be gone by now: who waits for it sees that by its end.
    if (this.#child.connected) this.#child.send(asked, () => undefined);
  }

  #hear(told: Told): void {
    if ("ready" in told) this.#ready.resolve(told.ready);
    else if ("failed" in told) this.failed.push(told.failed);
    else this.#held.resolve(told);
  }
}
