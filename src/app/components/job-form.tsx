import type { JSX } from "preact";
import type { MicroCredits } from "../../protocol/units.ts";
import type { Jobs } from "../state/jobs.ts";
import { JobFunction } from "./job-function.tsx";
import { JobInputs } from "./job-inputs.tsx";
import { JobPrice } from "./job-price.tsx";
import { JobTrial } from "./job-trial.tsx";

export interface JobFormProps {
  readonly jobs: Jobs;
  readonly testMoney: boolean;
  readonly available: MicroCredits | undefined;
}

/** A job in four steps. */
export function JobForm({ jobs, testMoney, available }: JobFormProps): JSX.Element {
  return (
    <div class="job-form">
      <JobFunction draft={jobs.draft} />
      <JobInputs draft={jobs.draft} />
      <JobTrial draft={jobs.draft} />
      <JobPrice jobs={jobs} testMoney={testMoney} available={available} />
    </div>
  );
}
