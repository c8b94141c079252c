import type { RelayInfo } from "../../protocol/relay-api.ts";
import { priceOf } from "../../protocol/tariff.ts";
import { ceilDiv, fuel, microCredits, type MicroCredits } from "../../protocol/units.ts";
import type { JobOptions } from "../../sdk/index.ts";
import { forecastCap } from "../../sdk/make-job.ts";
import type { Measured } from "./jobs-settings.ts";

/** What a job will probably cost, and what it may cost at most. */
export interface Estimate {
  /** Every task like those that were tried; absent where none was. */
  readonly likely?: MicroCredits;
  /** Of that, one task. */
  readonly each?: MicroCredits;
  /** Fees of the leases, which are burnt. */
  readonly fees: MicroCredits;
  /** Set aside while the job runs; what is not spent comes back. */
  readonly cap: MicroCredits;
  /** What one task costs that uses all it may. */
  readonly mostOfOne: MicroCredits;
  /** The cap does not even cover one task at its limits. */
  readonly isShort: boolean;
}

export interface EstimateGround {
  readonly info: RelayInfo;
  /** Micro-credits of the account; absent while it is new or unknown. */
  readonly available: MicroCredits | undefined;
  readonly tasks: number;
  readonly inputBytes: number;
  readonly largestInput: number;
  readonly measured: Measured | undefined;
}

/** @param options of the job, as they will be given */
export function estimateOf(options: JobOptions, ground: EstimateGround): Estimate {
  const { info, available, tasks, inputBytes, largestInput, measured } = ground;
  const { cap, mostOfOne, leaseFee, leases } = forecastCap(
    { ...options, maxTasks: tasks },
    { info, available, largestInput },
  );
  const fees = microCredits(leaseFee * BigInt(leases));
  const base = { fees, cap, mostOfOne, isShort: cap < mostOfOne };
  if (measured === undefined) return base;
  const runs = BigInt(tasks * (options.replicas ?? 1));
  const samples = BigInt(measured.samples);
  const outputBytes = ceilDiv(BigInt(measured.outputBytes) * BigInt(tasks), samples);
  const price = (payable: bigint, bytes: bigint): MicroCredits => {
    const burnt = fuel(ceilDiv(measured.fuel * payable, samples));
    return priceOf(
      info.tariff,
      { payable: Number(payable), cancelled: 0, fuel: burnt, bytes },
      microCredits(0),
    );
  };
  const bytes = BigInt(inputBytes) + outputBytes;
  const work = price(runs, bytes * BigInt(options.replicas ?? 1));
  return {
    ...base,
    likely: microCredits(work + fees),
    each: price(1n, ceilDiv(bytes, BigInt(tasks))),
  };
}
