/**
 * Why less is given than the person's limits allow. The first group stops all work, the second takes some of it away.
 *
 * | reason        | what has happened                                                    |
 * |---------------|----------------------------------------------------------------------|
 * | `battery-low` | not charging, and little is left                                     |
 * | `on-battery`  | not charging, and the person wants work only while charging          |
 * | `hidden`      | the page is not seen                                                 |
 * | `in-use`      | the person is at the machine                                         |
 * | `metered`     | the network is paid by the amount                                    |
 * | `save-data`   | the browser is told to save data                                     |
 * | `hours`       | not one of the hours chosen                                          |
 * | `data-cap`    | the data of this month are used up                                   |
 * | `pressure`    | the machine has too much to do                                       |
 * | `busy`        | the machine has much to do: fewer threads                            |
 * | `hot`         | the processor has become slower, as hot ones do: more rest           |
 * | `calming`     | what stood against it is over, and has to stay so for a while        |
 */
export type GovernorReason = PauseReason | "busy" | "hot" | "calming";

export type PauseReason =
  | "battery-low"
  | "on-battery"
  | "hidden"
  | "in-use"
  | "metered"
  | "save-data"
  | "hours"
  | "data-cap"
  | "pressure";

/** What a browser may not tell a page; a limit that hangs on it then does nothing. */
export type UntoldSignal = "pressure" | "battery" | "network" | "idle";

/** What may be used of the machine now. */
export interface Allowance {
  /** Threads; 0: nothing is computed. */
  readonly workers: number;
  /** Share of each thread's time, 1 to 100. */
  readonly cpuPercent: number;
  readonly gpu: boolean;
}

/** What a page shows of the governor. */
export interface GovernorView {
  readonly allowed: Allowance;
  /** Why that is less than the limits say, the strongest first; none where it is not. */
  readonly reasons: readonly GovernorReason[];
  /** When more is allowed if nothing else happens, milliseconds since 1970. */
  readonly moreAt?: number;
  /** Share of the time of all allowed threads that was spent computing in the last ten seconds. Absent while nothing is allowed. */
  readonly dutyPercent?: number;
  readonly untold: readonly UntoldSignal[];
  /** Bytes up and down in this calendar month. */
  readonly monthBytes: number;
}
