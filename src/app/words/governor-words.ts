import type { GovernorReason, GovernorView } from "../../provider/governor/governor-view.ts";
import type { ProviderLimits } from "../../provider/provider-state.ts";
import { countdownText } from "./durations.ts";

/** Why less is given than the person allows, and what they can do about it. */
export interface ReasonWords {
  readonly cause: string;
  readonly advice: string;
}

/** @param knowsMachine whether the browser tells when nobody is at the machine, or only this page knows */
export function reasonWords(
  reason: Exclude<GovernorReason, "calming">,
  limits: ProviderLimits,
  knowsMachine: boolean,
): ReasonWords {
  switch (reason) {
    case "battery-low":
      return { cause: "The battery is low.", advice: "Plug in, and work goes on half a minute later." };
    case "on-battery":
      return {
        cause: "This computer runs on its battery.",
        advice: "You chose to work only while it charges.",
      };
    case "hidden":
      return { cause: "Nobody sees this page.", advice: "You chose to work only while it is in view." };
    case "in-use":
      return {
        cause: knowsMachine ? "You are at the computer." : "You are using this page.",
        advice: "Work begins a minute and a half after you stop.",
      };
    case "metered":
      return {
        cause: "This network is paid by the amount.",
        advice: "You chose not to work over such a network.",
      };
    case "save-data":
      return {
        cause: "Your browser is told to save data.",
        advice: "You chose not to work while it is.",
      };
    case "hours":
      return { cause: "It is outside your hours.", advice: hoursAdvice(limits) };
    case "data-cap":
      return {
        cause: "This month’s data is used up.",
        advice: "Work goes on next month, or when you allow more.",
      };
    case "pressure":
      return {
        cause: "The computer has a lot to do.",
        advice: "Work goes on when your other programs need it less.",
      };
    case "busy":
      return {
        cause: "The computer has a lot to do, so fewer threads work.",
        advice: "They come back one step at a time when it is calm.",
      };
    case "hot":
      return {
        cause: "The processor has slowed down, as hot ones do, so threads rest more.",
        advice: "They work as before when it has cooled.",
      };
    default:
      return reason satisfies never;
  }
}

function hoursAdvice({ hours }: ProviderLimits): string {
  return hours === undefined ? "Work begins soon." : `Work begins at ${hourText(hours.from)}.`;
}

/** "07:00" */
export function hourText(hour: number): string {
  return `${hour.toString().padStart(2, "0")}:00`;
}

/** The title of what is said, and how soon it is over, where that is known. */
export function pauseTitle({ allowed, moreAt }: GovernorView, now: number): string {
  const isPaused = allowed.workers === 0;
  // Hours to come are said in the advice: a countdown of thousands of seconds says nothing.
  if (moreAt === undefined || moreAt - now > 100_000)
    return isPaused ? "Why work pauses" : "Why less is used";
  return `${isPaused ? "Work goes on" : "More is used"} ${countdownText(moreAt - now)}`;
}

/** What a person gives, in one line: what stands over the closed list of limits. */
export function limitsSummary(limits: ProviderLimits): string {
  const { cpuPercent, hours, monthlyMegabytes } = limits;
  const conditions = [
    limits.onlyWhenCharging ? "while charging" : "",
    limits.onlyWhenIdle ? "while you are away" : "",
    limits.onlyUnmetered ? "on free networks" : "",
    limits.pauseWhenHidden ? "while in view" : "",
    hours === undefined || hours.from === hours.to
      ? ""
      : `from ${hourText(hours.from)} to ${hourText(hours.to)}`,
    monthlyMegabytes === undefined ? "" : `up to ${dataText(monthlyMegabytes * 1_000_000)} a month`,
  ].filter((words) => words !== "");
  const share = cpuPercent === 100 ? "All of each thread’s time" : `${cpuPercent} % of each thread’s time`;
  return conditions.length === 0 ? `${share}, at any time.` : `${share}, only ${joined(conditions)}.`;
}

function joined(parts: readonly string[]): string {
  const last = parts.at(-1) ?? "";
  return parts.length < 2 ? last : `${parts.slice(0, -1).join(", ")} and ${last}`;
}

/** "0 MB", "12 MB", "1.5 GB": of data over a line, in millions and billions of bytes. */
export function dataText(bytes: number): string {
  const megabytes = bytes / 1_000_000;
  if (megabytes < 1_000)
    return `${megabytes < 10 ? Math.round(megabytes * 10) / 10 : Math.round(megabytes)} MB`;
  return `${Math.round(megabytes / 100) / 10} GB`;
}
