/** What some browsers have and the language's own library of types does not know. */

export interface BatteryLike extends EventTarget {
  readonly charging: boolean;
  /** 0 to 1 */
  readonly level: number;
}

export interface ConnectionLike extends EventTarget {
  /** Undefined where the browser keeps it to itself. */
  readonly type?: string;
  readonly saveData?: boolean;
}

interface PressureRecordLike {
  readonly state: "nominal" | "fair" | "serious" | "critical";
}

declare class PressureWatch {
  constructor(listener: (records: readonly PressureRecordLike[]) => void);
  observe(source: "cpu", options: { readonly sampleInterval: number }): Promise<void>;
  disconnect(): void;
}

declare class IdleWatch extends EventTarget {
  readonly userState: "active" | "idle" | null;
  readonly screenState: "locked" | "unlocked" | null;
  /** @throws NotAllowedError where the person has not allowed it */
  start(options: { readonly threshold: number; readonly signal: AbortSignal }): Promise<void>;
  /** Only within a click. */
  static requestPermission(): Promise<"granted" | "denied">;
}

declare global {
  interface Navigator {
    readonly connection?: ConnectionLike;
    readonly getBattery?: () => Promise<BatteryLike>;
  }
  // oxlint-disable-next-line no-var -- how a global that may be missing is declared
  var PressureObserver: typeof PressureWatch | undefined;
  // oxlint-disable-next-line no-var
  var IdleDetector: typeof IdleWatch | undefined;
}

export function connectionHere(): ConnectionLike | undefined {
  return navigator.connection;
}

/** @throws NotAllowedError in a frame that may not ask */
export async function batteryHere(): Promise<BatteryLike | undefined> {
  return navigator.getBattery?.();
}

export function tellsBattery(): boolean {
  return navigator.getBattery !== undefined;
}

export function pressureHere(): typeof PressureWatch | undefined {
  return globalThis.PressureObserver;
}

export function idleHere(): typeof IdleWatch | undefined {
  return globalThis.IdleDetector;
}
