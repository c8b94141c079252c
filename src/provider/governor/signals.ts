/** What the browser and our own counting say of the machine at one moment. What is absent is not told here. */
export interface Signals {
  readonly isHidden: boolean;
  readonly pressure?: "nominal" | "fair" | "serious" | "critical";
  readonly battery?: { readonly isCharging: boolean; /** 0 to 1 */ readonly level: number };
  readonly network?: { readonly isMetered: boolean };
  readonly savesData: boolean;
  /** Whether the person is at the machine, or where only this page's events are known, on this page. */
  readonly isInUse?: boolean;
  /** Of the local day, 0 to 1,439. */
  readonly minuteOfDay: number;
  readonly monthBytes: number;
  /** The calibration kernel says that the processor is hot. */
  readonly isHot: boolean;
}

/** Something that may stand against work, whatever the person has set. */
export type Condition =
  | "hidden"
  | "discharging"
  | "battery-low"
  | "serious"
  | "critical"
  | "in-use"
  | "metered"
  | "save-data"
  | "hot";
