import type { JSX } from "preact";
import { failureCode } from "../../protocol/failure-code.ts";
import type { AccountView } from "../../protocol/relay-api.ts";
import { microCredits } from "../../protocol/units.ts";
import type { Earnings } from "../state/earnings.ts";
import { creditUnit } from "../words/credits.ts";
import { Amount } from "./amount.tsx";
import { FailureNotice } from "./failure-notice.tsx";

export interface BalanceFiguresProps {
  readonly earnings: Earnings;
  readonly testMoney: boolean;
}

const ZERO = microCredits(0n);
const NOT_FOUND = failureCode("not-found");

/** A relay that has not heard of the account owes it nothing. */
function isUnknown(earnings: Earnings): boolean {
  const account = earnings.account.value;
  return account.kind === "failed" && account.failure.code === NOT_FOUND;
}

export function BalanceFigures({ earnings, testMoney }: BalanceFiguresProps): JSX.Element {
  const account = earnings.account.value;
  if (account.kind === "failed" && !isUnknown(earnings)) {
    return (
      <FailureNotice
        title="The relay does not answer"
        failure={account.failure}
        onRetry={() => earnings.retry()}
      />
    );
  }
  const view = account.kind === "ready" ? account.value : undefined;
  return (
    <section class="balance" aria-label="Balance" aria-busy={account.kind === "loading"}>
      <div class="balance-main">
        <p class="balance-name">
          Balance
          <span class="live" role="status">
            {earnings.isLive.value ? (
              <>
                <span class="dot dot-work" />
                Live
              </>
            ) : null}
          </span>
        </p>
        <p class="balance-value">
          <Value
            view={view}
            pick={(each) => microCredits(each.available + each.held + each.bond)}
            isKnown={account.kind !== "loading"}
            testMoney={testMoney}
          />
        </p>
        <p class="balance-note">
          {creditUnit(testMoney)}, of which{" "}
          <Value
            view={view}
            pick={(each) => each.available}
            isKnown={account.kind !== "loading"}
            testMoney={testMoney}
          />{" "}
          free now
        </p>
      </div>
      <dl class="balance-rest">
        <div>
          <dt>Pending</dt>
          <dd>
            <Value
              view={view}
              pick={(each) => each.pending}
              isKnown={account.kind !== "loading"}
              testMoney={testMoney}
            />
          </dd>
          <dd class="figure-note">under leases that are not settled yet</dd>
        </div>
        <div>
          <dt>Kept back</dt>
          <dd>
            <Value
              view={view}
              pick={(each) => microCredits(each.held + each.bond)}
              isKnown={account.kind !== "loading"}
              testMoney={testMoney}
            />
          </dd>
          <dd class="figure-note">until audits are over, and your bond</dd>
        </div>
        <div>
          <dt>Earned today</dt>
          <dd>
            <Value
              view={view}
              pick={(each) => each.earnedToday}
              isKnown={account.kind !== "loading"}
              testMoney={testMoney}
            />
          </dd>
          <dd class="figure-note">since midnight UTC</dd>
        </div>
        <div>
          <dt>Earned in all</dt>
          <dd>
            <Value
              view={view}
              pick={(each) => each.earned}
              isKnown={account.kind !== "loading"}
              testMoney={testMoney}
            />
          </dd>
          <dd class="figure-note">settled</dd>
        </div>
      </dl>
    </section>
  );
}

interface ValueProps {
  readonly view: AccountView | undefined;
  readonly pick: (view: AccountView) => AccountView["available"];
  readonly isKnown: boolean;
  readonly testMoney: boolean;
}

function Value({ view, pick, isKnown, testMoney }: ValueProps): JSX.Element {
  if (!isKnown) return <span class="skeleton">0.000000</span>;
  return <Amount value={view === undefined ? ZERO : pick(view)} testMoney={testMoney} />;
}
