import type { ComponentChildren, JSX } from "preact";
import { useId } from "preact/hooks";
import type { GovernorView, UntoldSignal } from "../../provider/governor/governor-view.ts";
import { askToSeeIdle, untoldHere } from "../../provider/governor/untold.ts";
import type { ProviderLimits } from "../../provider/provider-state.ts";
// oxlint-disable-next-line import/no-unassigned-import -- styles, which come with the panel
import "../styles/limits.css";
import { dataText, hourText, limitsSummary } from "../words/governor-words.ts";

export interface LimitsPanelProps {
  readonly limits: ProviderLimits;
  /** Absent while nothing runs. */
  readonly governor: GovernorView | undefined;
  readonly onChange: (limits: ProviderLimits) => void;
}

type Pressure = NonNullable<ProviderLimits["pauseAtPressure"]>;

const SHARES = { least: 5, most: 100, step: 5 } as const;
const MEMORIES = [64, 128, 256, 512] as const;
const HOURS: readonly number[] = Array.from({ length: 24 }, (_, hour) => hour);
const NIGHT = { from: 22, to: 6 } as const;
const FIRST_CAP_MB = 5_000;

/** Everything a person may say about when and how much. */
export function LimitsPanel({ limits, governor, onChange }: LimitsPanelProps): JSX.Element {
  const untold = untoldHere();
  const set = (change: Partial<ProviderLimits>): void => onChange({ ...limits, ...change });
  return (
    <div class="limits-list">
      <p class="hint" aria-live="polite">
        {limitsSummary(limits)}
      </p>
      <Share limits={limits} governor={governor} onChange={set} />
      <fieldset>
        <legend>Work only</legend>
        <Check
          isOn={limits.onlyWhenCharging}
          label="while the computer charges"
          note={untoldNote("battery", untold)}
          isVain={untold.includes("battery")}
          onChange={(onlyWhenCharging) => set({ onlyWhenCharging })}
        />
        <Check
          isOn={limits.onlyWhenIdle}
          label="while I am away"
          note={untold.includes("idle") ? "This browser only tells us about this page." : undefined}
          onChange={(onlyWhenIdle) => {
            void (onlyWhenIdle ? askToSeeIdle() : Promise.resolve(false)).then(() => set({ onlyWhenIdle }));
          }}
        />
        <Check
          isOn={limits.onlyUnmetered}
          label="on networks that are not paid by the amount"
          note={untoldNote("network", untold)}
          isVain={untold.includes("network")}
          onChange={(onlyUnmetered) => set({ onlyUnmetered })}
        />
        <Check
          isOn={limits.pauseWhenHidden}
          label="while this page is in view"
          onChange={(pauseWhenHidden) => set({ pauseWhenHidden })}
        />
        <Check
          isOn={limits.pauseOnSaveData}
          label="while the browser does not save data"
          onChange={(pauseOnSaveData) => set({ pauseOnSaveData })}
        />
        <Hours limits={limits} onChange={onChange} />
      </fieldset>
      <PressureChoice limits={limits} untold={untold} onChange={onChange} />
      <MemoryChoice limits={limits} onChange={set} />
      <DataCap limits={limits} governor={governor} onChange={onChange} />
    </div>
  );
}

interface PartProps {
  readonly limits: ProviderLimits;
  readonly onChange: (change: Partial<ProviderLimits>) => void;
}

/** What takes whole limits, since it also removes some. */
interface WholeProps {
  readonly limits: ProviderLimits;
  readonly onChange: (limits: ProviderLimits) => void;
}

function Share({ limits, governor, onChange }: PartProps & Pick<LimitsPanelProps, "governor">): JSX.Element {
  const id = useId();
  const measured = governor?.dutyPercent;
  return (
    <div class="limit">
      <label class="limit-name" for={id}>
        Share of the processor
      </label>
      <div class="limit-slider">
        <input
          id={id}
          type="range"
          min={SHARES.least}
          max={SHARES.most}
          step={SHARES.step}
          value={limits.cpuPercent}
          aria-valuetext={`${limits.cpuPercent} percent`}
          aria-describedby={`${id}-note`}
          onInput={({ currentTarget }) => onChange({ cpuPercent: currentTarget.valueAsNumber })}
        />
        <output class="limit-value" for={id}>
          {limits.cpuPercent} %
        </output>
      </div>
      <p class="hint" id={`${id}-note`}>
        After each task a thread rests so long that this holds.
        {measured === undefined ? "" : ` In the last ten seconds it worked ${Math.round(measured)} %.`}
      </p>
    </div>
  );
}

interface CheckProps {
  readonly isOn: boolean;
  readonly label: ComponentChildren;
  readonly note?: string | undefined;
  /** It cannot be kept here, so it can only be taken back. */
  readonly isVain?: boolean;
  readonly onChange: (isOn: boolean) => void;
}

function Check({ isOn, label, note, isVain = false, onChange }: CheckProps): JSX.Element {
  const id = useId();
  return (
    <div class="limit-check">
      <input
        id={id}
        type="checkbox"
        checked={isOn}
        disabled={isVain && !isOn}
        aria-describedby={note === undefined ? undefined : `${id}-note`}
        onChange={({ currentTarget }) => onChange(currentTarget.checked)}
      />
      <label for={id}>{label}</label>
      {note !== undefined && (
        <p class="hint" id={`${id}-note`}>
          {note}
        </p>
      )}
    </div>
  );
}

const UNTOLD_NOTES = {
  battery: "This browser says nothing of the battery, so this cannot be kept here.",
  network: "This browser does not say what network it is on, so this cannot be kept here.",
  pressure: "This browser does not say how busy the computer is.",
} as const;

function untoldNote(signal: keyof typeof UNTOLD_NOTES, untold: readonly UntoldSignal[]): string | undefined {
  return untold.includes(signal) ? UNTOLD_NOTES[signal] : undefined;
}

function Hours({ limits, onChange }: WholeProps): JSX.Element {
  const { hours, ...others } = limits;
  return (
    <>
      <Check
        isOn={hours !== undefined}
        label="at some hours of the day"
        onChange={(isOn) => onChange(isOn ? { ...others, hours: NIGHT } : others)}
      />
      {hours !== undefined && (
        <div class="limit-hours" role="group" aria-label="Hours of the day">
          <HourPick
            label="From"
            hour={hours.from}
            onPick={(from) => onChange({ ...others, hours: { ...hours, from } })}
          />
          <HourPick
            label="To"
            hour={hours.to}
            onPick={(to) => onChange({ ...others, hours: { ...hours, to } })}
          />
        </div>
      )}
    </>
  );
}

interface HourPickProps {
  readonly label: string;
  readonly hour: number;
  readonly onPick: (hour: number) => void;
}

function HourPick({ label, hour, onPick }: HourPickProps): JSX.Element {
  const id = useId();
  return (
    <div class="limit-hour">
      <label for={id}>{label}</label>
      <select id={id} value={hour} onChange={({ currentTarget }) => onPick(Number(currentTarget.value))}>
        {HOURS.map((each) => (
          <option key={each} value={each}>
            {hourText(each)}
          </option>
        ))}
      </select>
    </div>
  );
}

function PressureChoice({
  limits,
  untold,
  onChange,
}: WholeProps & { readonly untold: readonly UntoldSignal[] }): JSX.Element {
  const id = useId();
  const { pauseAtPressure, ...others } = limits;
  return (
    <div class="limit">
      <label class="limit-name" for={id}>
        When other programs need the computer
      </label>
      <select
        id={id}
        value={pauseAtPressure ?? "less"}
        onChange={({ currentTarget }) => {
          const chosen = pressureOf(currentTarget.value);
          onChange(chosen === undefined ? others : { ...others, pauseAtPressure: chosen });
        }}
      >
        <option value="less">use fewer threads</option>
        <option value="critical">stop when it is very busy</option>
        <option value="serious">stop as soon as it is busy</option>
      </select>
      {untold.includes("pressure") && <p class="hint">{UNTOLD_NOTES.pressure}</p>}
    </div>
  );
}

function pressureOf(value: string): Pressure | undefined {
  return value === "critical" || value === "serious" ? value : undefined;
}

function MemoryChoice({ limits, onChange }: PartProps): JSX.Element {
  const id = useId();
  return (
    <div class="limit">
      <label class="limit-name" for={id}>
        Memory for one task
      </label>
      <select
        id={id}
        value={limits.memoryMiB ?? MEMORIES.at(-1)}
        onChange={({ currentTarget }) => onChange({ memoryMiB: Number(currentTarget.value) })}
      >
        {MEMORIES.map((memory) => (
          <option key={memory} value={memory}>
            {memory} MiB
          </option>
        ))}
      </select>
    </div>
  );
}

function DataCap({
  limits,
  governor,
  onChange,
}: WholeProps & Pick<LimitsPanelProps, "governor">): JSX.Element {
  const { monthlyMegabytes, ...others } = limits;
  const id = useId();
  return (
    <div class="limit">
      <Check
        isOn={monthlyMegabytes !== undefined}
        label="Stop when this month’s data reach"
        onChange={(isOn) => onChange(isOn ? { ...others, monthlyMegabytes: FIRST_CAP_MB } : others)}
      />
      {monthlyMegabytes !== undefined && (
        <div class="limit-cap">
          <input
            id={id}
            type="number"
            inputMode="numeric"
            min={100}
            step={100}
            aria-label="Megabytes a month"
            value={monthlyMegabytes}
            onChange={({ currentTarget }) => {
              const megabytes = Math.floor(currentTarget.valueAsNumber);
              // What is no number leaves the cap as it was, and the field shows it again.
              if (megabytes >= 1) onChange({ ...others, monthlyMegabytes: megabytes });
              else currentTarget.value = monthlyMegabytes.toString();
            }}
          />
          <span>MB</span>
        </div>
      )}
      {governor !== undefined && (
        <p class="hint">{dataText(governor.monthBytes)} went over the line in this month, up and down.</p>
      )}
    </div>
  );
}
