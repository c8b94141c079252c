import type { JobProgress, JobSummary, MapResult } from "./job-options.ts";

type Counts = Pick<JobSummary, "tasks" | "done" | "failed" | "reassigned" | "voided">;

/** What has become of the inputs of one job so far. */
export class JobCounts {
  #done = 0;
  #failed = 0;
  #reassigned = 0;
  #voided = 0;

  get all(): Counts {
    return {
      tasks: this.#done + this.#failed,
      done: this.#done,
      failed: this.#failed,
      reassigned: this.#reassigned,
      voided: this.#voided,
    };
  }

  progress(
    parts: Pick<JobProgress, "state" | "providers" | "spent">,
    total: number | undefined,
    note: string | undefined,
  ): JobProgress {
    const { done, failed, reassigned } = this.all;
    return {
      ...parts,
      ...(total === undefined ? {} : { total }),
      done,
      failed,
      reassigned,
      ...(note === undefined ? {} : { note }),
    };
  }

  result({ kind }: Pick<MapResult, "kind">): void {
    if (kind === "done") this.#done += 1;
    else this.#failed += 1;
  }

  reassigned(): void {
    this.#reassigned += 1;
  }

  voided(results: number): void {
    this.#voided += results;
  }
}
