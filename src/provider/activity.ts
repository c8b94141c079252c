import type { Cid } from "../protocol/cid.ts";
import type { Task } from "../protocol/messages/task.ts";
import { microCredits, type MicroCredits } from "../protocol/units.ts";
import { RATE_WINDOW_MS } from "./limits.ts";
import type { ProviderChannel, TaskEnd } from "./provider-channel.ts";
import type { ProviderState, RunningTask } from "./provider-state.ts";

interface Ended {
  readonly at: number;
  readonly fuel: bigint;
  /** Whether a task ended with it. */
  readonly isLast: boolean;
}

/** Counts what a provider does, for its page. */
export class Activity {
  readonly #now: () => number;
  readonly #running = new Map<string, RunningTask>();
  readonly #earned = new Map<Cid, MicroCredits>();
  #recent: Ended[] = [];
  #done = 0;
  #failed = 0;
  #fuel = 0n;

  /** @param now milliseconds since 1970. */
  constructor(now: () => number) {
    this.#now = now;
  }

  task(event: "started" | "ended", channel: ProviderChannel, task: Task): void {
    const { job, lease } = channel.order;
    const key = `${lease.id}/${task.seq}`;
    if (event === "ended") {
      this.#running.delete(key);
      return;
    }
    this.#running.set(key, {
      lease: lease.id,
      seq: task.seq,
      workCid: job.body.work.cid,
      requester: job.body.requester,
      since: this.#now(),
    });
  }

  outcome(end: TaskEnd, isLast: boolean): void {
    if (isLast && end.kind === "done") this.#done += 1;
    if (end.kind === "failed") this.#failed += 1;
    this.#fuel += end.fuel;
    this.#recent.push({ at: this.#now(), fuel: end.fuel, isLast });
  }

  earned(lease: Cid, amount: MicroCredits): void {
    this.#earned.set(lease, amount);
  }

  /** Whether rates still change although nothing happens. */
  get hasRecent(): boolean {
    return this.#recent.length > 0;
  }

  view(): Pick<
    ProviderState,
    "running" | "tasksDone" | "tasksFailed" | "fuel" | "tasksPerSecond" | "fuelPerSecond" | "earned"
  > {
    const since = this.#now() - RATE_WINDOW_MS;
    this.#recent = this.#recent.filter(({ at }) => at > since);
    const tasks = this.#recent.filter(({ isLast }) => isLast).length;
    const fuel = this.#recent.reduce((sum, each) => sum + each.fuel, 0n);
    return {
      running: [...this.#running.values()],
      tasksDone: this.#done,
      tasksFailed: this.#failed,
      fuel: this.#fuel,
      tasksPerSecond: (tasks * 1000) / RATE_WINDOW_MS,
      fuelPerSecond: (Number(fuel) * 1000) / RATE_WINDOW_MS,
      earned: microCredits([...this.#earned.values()].reduce((sum, amount) => sum + amount, 0n)),
    };
  }
}
