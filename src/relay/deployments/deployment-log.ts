import { FailureError } from "../../protocol/failure.ts";
import { type LogKind, type LogLine, MAX_LOG_LINES, MAX_LOG_WORDS } from "../../protocol/deployment-view.ts";
import type { Cid } from "../../protocol/cid.ts";
import type { MicroCredits } from "../../protocol/units.ts";
import type { DeploymentRows } from "./deployment-rows.ts";
import { MAX_FOLLOWERS } from "./limits.ts";

/** What belongs to a line beside its words. */
export interface LineFacts {
  readonly run?: Cid;
  readonly cost?: MicroCredits;
}

/** Lines as they come. */
export interface Following {
  /** The next lines, none of them twice; empty after `waitMs` without any, undefined at the end. */
  next(waitMs: number): Promise<readonly LogLine[] | undefined>;
  /** Idempotent. */
  end(): void;
}

interface Follower {
  wake: () => void;
  isEnded: boolean;
}

/** What happens to deployments, line by line. */
export class DeploymentLog {
  readonly #rows: DeploymentRows;
  readonly #nowMs: () => number;
  readonly #followers = new Map<string, Set<Follower>>();

  constructor(rows: DeploymentRows, nowMs: () => number) {
    this.#rows = rows;
    this.#nowMs = nowMs;
  }

  write(name: string, kind: LogKind, words: string, facts: LineFacts = {}): void {
    this.#rows.append(name, { time: this.#nowMs(), kind, words: words.slice(0, MAX_LOG_WORDS), ...facts });
    for (const follower of this.#followers.get(name) ?? []) follower.wake();
  }

  lines(name: string, from: number): readonly LogLine[] {
    return this.#rows.lines(name, from, MAX_LOG_LINES);
  }

  /** @throws FailureError `rate-limited` when too many follow it */
  follow(name: string, from: number): Following {
    const followers = this.#followers.get(name) ?? new Set<Follower>();
    if (followers.size >= MAX_FOLLOWERS)
      throw new FailureError("rate-limited", `${MAX_FOLLOWERS} are following this log already`);
    const follower: Follower = { wake: () => undefined, isEnded: false };
    this.#followers.set(name, followers.add(follower));
    let at = from;
    const take = (): readonly LogLine[] => {
      const lines = this.lines(name, at);
      at = (lines.at(-1)?.seq ?? at - 1) + 1;
      return lines;
    };
    return {
      next: async (waitMs) => {
        const lines = take();
        if (lines.length > 0) return lines;
        await untilWoken(follower, waitMs);
        return follower.isEnded ? undefined : take();
      },
      end: () => {
        followers.delete(follower);
        if (followers.size === 0) this.#followers.delete(name);
        follower.isEnded = true;
        follower.wake();
      },
    };
  }

  close(): void {
    for (const followers of this.#followers.values())
      for (const follower of followers) {
        follower.isEnded = true;
        follower.wake();
      }
  }
}

async function untilWoken(follower: Follower, waitMs: number): Promise<void> {
  if (follower.isEnded) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, waitMs);
    function done(): void {
      clearTimeout(timer);
      follower.wake = () => undefined;
      resolve();
    }
    follower.wake = done;
  });
}
