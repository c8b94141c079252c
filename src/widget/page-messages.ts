/**
 * What the embedding page and the widget's frame say to each other, three messages, and the two by which the window of
 * consent brings the frame into being. Neither side believes the other more than a message says. Small: the page loads it.
 */

/** Where the frame stands, for the page to show. `ended`: there is no consent any more, or never was; the frame can go. */
export const PHASES = ["starting", "waiting", "working", "paused", "stopped", "failed", "ended"] as const;
export type WidgetPhase = (typeof PHASES)[number];

/** Frame to page. */
export interface StateMessage {
  readonly tabmesh: "state";
  readonly phase: WidgetPhase;
  /** Whole minutes contributed on this page. */
  readonly minutes: number;
  /** Contributed on this page, micro-credits in decimal. */
  readonly amount: string;
  /** When consent ends, milliseconds since 1970. */
  readonly until: number;
}

/** Frame to page: how high its content is, CSS pixels. */
export interface SizeMessage {
  readonly tabmesh: "size";
  readonly height: number;
}

/**
 * Page to frame. `stop`: for good, until the person presses Go on. `rest`: the machine is under pressure, which browsers tell the
 * page that has the focus and no frame of others; `calm`: not any more. There is no message that starts anything.
 */
export interface WishMessage {
  readonly tabmesh: "wish";
  readonly wish: Wish;
}

const WISHES = ["stop", "rest", "calm"] as const;
type Wish = (typeof WISHES)[number];

/** Window of consent to page: the person agreed; the frame may be opened, with this ticket. */
export interface AgreedMessage {
  readonly tabmesh: "agreed";
  readonly site: string;
  readonly ticket: string;
}

/** Page to window of consent: the frame is open. */
export interface FramedMessage {
  readonly tabmesh: "framed";
  readonly ticket: string;
  /** Its place among the frames of the page. */
  readonly index: number;
}

type Message = StateMessage | SizeMessage | WishMessage | AgreedMessage | FramedMessage;

/** 128 random bits in hexadecimal, once for each frame. */
const TICKET = /^[0-9a-f]{32}$/;
const AMOUNT = /^\d{1,20}$/;

function isCount(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= Number.MAX_SAFE_INTEGER && value % 1 === 0;
}

function isMatch(pattern: RegExp, value: unknown): value is string {
  return typeof value === "string" && pattern.test(value);
}

export function isTicket(value: unknown): value is string {
  return isMatch(TICKET, value);
}

/** What was posted, if it is one of these messages and nothing else. */
export function readMessage(data: unknown): Message | undefined {
  if (typeof data !== "object" || data === null) return undefined;
  const { tabmesh, phase, minutes, amount, until, height, wish, site, ticket, index } = Object.fromEntries(
    Object.entries(data),
  );
  const known = PHASES.find((each) => each === phase);
  if (tabmesh === "state" && known && isCount(minutes) && isMatch(AMOUNT, amount) && isCount(until))
    return { tabmesh, phase: known, minutes, amount, until };
  if (tabmesh === "size" && isCount(height)) return { tabmesh, height };
  const wished = WISHES.find((each) => each === wish);
  if (tabmesh === "wish" && wished) return { tabmesh, wish: wished };
  if (tabmesh === "agreed" && typeof site === "string" && isTicket(ticket)) return { tabmesh, site, ticket };
  if (tabmesh === "framed" && isTicket(ticket) && isCount(index)) return { tabmesh, ticket, index };
  return undefined;
}
