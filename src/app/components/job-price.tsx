import type { JSX } from "preact";
import type { MicroCredits } from "../../protocol/units.ts";
import type { Estimate } from "../state/jobs-estimate.ts";
import type { Measured } from "../state/jobs-settings.ts";
import type { Jobs, Offer } from "../state/jobs.ts";
import { scaledText } from "../words/quantities.ts";
import { Amount } from "./amount.tsx";
import { JobSettings } from "./job-settings.tsx";

export interface JobPriceProps {
  readonly jobs: Jobs;
  readonly testMoney: boolean;
  /** Of the account; absent while it is new or unknown. */
  readonly available: MicroCredits | undefined;
}

/** Last step: what it will cost, and the button. */
export function JobPrice({ jobs, testMoney, available }: JobPriceProps): JSX.Element {
  const offer = jobs.offer();
  const inspection = jobs.draft.chosen.value?.inspection;
  const isFine = inspection?.kind === "ready" && inspection.value.verdict === "accepted";
  const canRun = isFine && offer.kind === "ready" && !offer.estimate.isShort;
  return (
    <section class="card job-step" aria-labelledby="job-price-title">
      <h2 id="job-price-title">
        <span class="job-number">4</span>Price
      </h2>
      <div role="status">
        <Price offer={offer} measured={jobs.draft.measured()} testMoney={testMoney} available={available} />
      </div>
      <JobSettings draft={jobs.draft} />
      <div class="search-actions">
        <button class="button" type="button" disabled={!canRun} onClick={() => jobs.start()}>
          Run the job
        </button>
        <p class="hint">The tabs that compute this can read it. Send nothing that a stranger must not see.</p>
      </div>
    </section>
  );
}

interface PriceProps {
  readonly offer: Offer;
  readonly measured: Measured | undefined;
  readonly testMoney: boolean;
  readonly available: MicroCredits | undefined;
}

function Price({ offer, measured, testMoney, available }: PriceProps): JSX.Element {
  if (offer.kind === "wrong") return <p class="hint hint-alarm">{offer.problem}</p>;
  if (offer.kind === "no-relay")
    return (
      <p class="hint hint-alarm">
        The relay cannot be reached, so nothing is known of prices. Check your connection, then reload.
      </p>
    );
  if (offer.kind === "incomplete")
    return <p class="hint">Choose a function and give it inputs. The price follows from both.</p>;
  const { estimate } = offer;
  return (
    <>
      <dl class="job-price">
        <div>
          <dt>Likely price</dt>
          <dd class="job-price-main">
            {estimate.likely === undefined ? (
              <span class="job-unknown">after a dry run</span>
            ) : (
              <Amount value={estimate.likely} testMoney={testMoney} withUnit />
            )}
          </dd>
        </div>
        <div>
          <dt>Set aside at most</dt>
          <dd>
            <Amount value={estimate.cap} testMoney={testMoney} withUnit />
          </dd>
        </div>
        <div>
          <dt>You have</dt>
          <dd>
            {available === undefined || available === 0n ? (
              <span class="job-unknown">{testMoney ? "test credits with the first job" : "nothing yet"}</span>
            ) : (
              <Amount value={available} testMoney={testMoney} withUnit />
            )}
          </dd>
        </div>
      </dl>
      <Basis estimate={estimate} measured={measured} testMoney={testMoney} />
    </>
  );
}

interface BasisProps {
  readonly estimate: Estimate;
  readonly measured: Measured | undefined;
  readonly testMoney: boolean;
}

/** How the numbers are made. */
function Basis({ estimate, measured, testMoney }: BasisProps): JSX.Element {
  if (estimate.isShort)
    return (
      <p class="hint hint-alarm">
        One task may cost up to <Amount value={estimate.mostOfOne} testMoney={testMoney} withUnit />, which is
        more than can be set aside. A dry run, or a lower fuel limit, makes it less.
      </p>
    );
  if (measured === undefined || estimate.each === undefined)
    return (
      <p class="hint">
        Set aside is what every task would cost at its limits, at most half of what you have. What is not
        spent comes back.
      </p>
    );
  const mean = Number(measured.fuel) / measured.samples;
  const tried = measured.samples === 1 ? "the input" : `${measured.samples} inputs`;
  const failures = `${measured.failed} of these failed, and failures are paid too. `;
  return (
    <p class="hint">
      {`Reckoned from ${tried} tried here, ${scaledText(Math.round(mean))} fuel on average. `}
      {measured.failed > 0 && failures}
      <Amount value={estimate.each} testMoney={testMoney} /> each, and{" "}
      <Amount value={estimate.fees} testMoney={testMoney} /> in fees for the tabs. What is set aside and not
      spent comes back.
    </p>
  );
}
