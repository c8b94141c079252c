import type { JSX } from "preact";
import type { Tone } from "../words/phase-words.ts";

export interface PowerSwitchProps {
  readonly isOn: boolean;
  readonly tone: Tone;
  /** While it is going down there is nothing to switch. */
  readonly isBusy: boolean;
  readonly onPress: () => void;
}

/** The one big switch. */
export function PowerSwitch({ isOn, tone, isBusy, onPress }: PowerSwitchProps): JSX.Element {
  return (
    <button
      class="power"
      type="button"
      role="switch"
      aria-checked={isOn}
      aria-disabled={isBusy}
      aria-labelledby="power-label"
      aria-describedby="phase-sentence"
      data-tone={tone}
      onClick={() => {
        if (!isBusy) onPress();
      }}
    >
      <span class="power-knob" />
    </button>
  );
}
