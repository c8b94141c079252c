import type { JSX } from "preact";
import type { MicroCredits } from "../../protocol/units.ts";
import { creditParts, creditText, creditUnit } from "../words/credits.ts";

export interface AmountProps {
  readonly value: MicroCredits;
  readonly testMoney: boolean;
  /** Writes the unit beside the number; it is read aloud either way. */
  readonly withUnit?: boolean;
}

/** Below a hundredth the last four digits are all there is, so they do not stand back. */
const HUNDREDTH = 10_000n;

/** Money, exact to the last digit; the digits that seldom matter stand back. */
export function Amount({ value, testMoney, withUnit = false }: AmountProps): JSX.Element {
  const { whole, cents, rest } = creditParts(value);
  const unit = creditUnit(testMoney);
  return (
    <span class="amount">
      <span class="aside">{`${creditText(value)} ${unit}`}</span>
      <span aria-hidden="true">
        {whole}.{cents}
        <span class={value < HUNDREDTH ? "" : "amount-rest"}>{rest}</span>
        {withUnit && <span class="amount-unit"> {unit}</span>}
      </span>
    </span>
  );
}
