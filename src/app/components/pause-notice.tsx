import type { JSX } from "preact";
import type { GovernorView } from "../../provider/governor/governor-view.ts";
import type { ProviderLimits } from "../../provider/provider-state.ts";
import { useNow } from "../state/now.ts";
import { pauseTitle, reasonWords } from "../words/governor-words.ts";
import { Notice } from "./notice.tsx";

export interface PauseNoticeProps {
  readonly governor: GovernorView;
  readonly limits: ProviderLimits;
}

/** Why less is computed than the person allows, and when that is over. */
export function PauseNotice({ governor, limits }: PauseNoticeProps): JSX.Element {
  const { reasons, moreAt, untold } = governor;
  const now = useNow(moreAt !== undefined);
  const knowsMachine = !untold.includes("idle");
  return (
    <Notice tone="wait" title={pauseTitle(governor, now.value)}>
      {reasons.map((reason) => (
        <p key={reason}>
          {reason === "calming"
            ? "It has to stay calm for half a minute before more is used."
            : sentence(reasonWords(reason, limits, knowsMachine))}
        </p>
      ))}
    </Notice>
  );
}

function sentence({ cause, advice }: ReturnType<typeof reasonWords>): string {
  return `${cause} ${advice}`;
}
