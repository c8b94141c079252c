import { connectionHere, idleHere, pressureHere, tellsBattery } from "./browser-apis.ts";
import type { UntoldSignal } from "./governor-view.ts";

/** What this browser does not tell pages, whatever they ask for. */
export function untoldHere(): readonly UntoldSignal[] {
  const told: readonly (readonly [UntoldSignal, boolean])[] = [
    ["pressure", pressureHere() !== undefined],
    ["battery", tellsBattery()],
    ["network", connectionHere()?.type !== undefined],
    ["idle", idleHere() !== undefined],
  ];
  return told.filter(([, isTold]) => !isTold).map(([signal]) => signal);
}

/** Asks the person whether the page may know when nobody is at the machine. Only within a click. @returns whether it may */
export async function askToSeeIdle(): Promise<boolean> {
  try {
    return (await idleHere()?.requestPermission()) === "granted";
  } catch {
    return false;
  }
}
