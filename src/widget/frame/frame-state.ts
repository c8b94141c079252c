import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { failureCode } from "../../protocol/failure-code.ts";
import { CALM_MS } from "../../provider/governor/limits.ts";
import type { GovernorReason } from "../../provider/governor/governor-view.ts";
import type { Provider, ProviderState } from "../../provider/provider-state.ts";
import type { SiteView } from "../../protocol/site-views.ts";
import type { SessionIdentity } from "../../protocol/session-identity.ts";
import type { WidgetPhase } from "../page-messages.ts";
import type { ShownPause, ShownPhase } from "../words/words.ts";
import { openFrameProvider } from "./frame-provider.ts";
import { forgetGrant, type Grant, keepGrant, openGrant } from "./grant.ts";
import type { Seen } from "./watch-seen.ts";

/** What the frame shows. */
export interface FrameView {
  readonly phase: ShownPhase | "paused" | "ended";
  readonly pause?: ShownPause;
  readonly state?: ProviderState;
  /** Milliseconds of contribution on this page. */
  readonly activeMs: number;
  readonly until: number;
  /** A sentence about a failure, for whoever the person asks. */
  readonly detail?: string;
}

export interface FrameState {
  readonly site: SiteView;
  readonly view: ReadonlySignal<FrameView>;
  /** Whether a press on the frame can be trusted to be meant: a person sees all of it. */
  readonly isSeen: ReadonlySignal<boolean>;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Ends for good: nothing starts again before the person agrees again. */
  withdraw(): Promise<void>;
  see(seen: Seen): void;
  /** Whether the machine is under pressure, as the page says: work ends at once, and begins when it has been calm for a while. */
  rest(isBusy: boolean): void;
}

export interface FrameParts {
  readonly relayUrl: string;
  readonly site: SiteView;
  readonly grant: Grant;
}

/** The relay's words for a key that acts for nobody any more. */
const OVER: ReadonlySet<number> = new Set([failureCode("key-revoked"), failureCode("expired")]);
/** How often time and end of consent are looked at. */
const TICK_MS = 1_000;
/** How often it is tried again while another tab of the site works. */
const ASK_AGAIN_MS = 10_000;
const ACTIVE: ReadonlySet<string> = new Set(["waiting", "working"]);
const PAUSES: Readonly<Record<GovernorReason, ShownPause>> = {
  "battery-low": "battery-low",
  "on-battery": "on-battery",
  hidden: "hidden",
  "in-use": "in-use",
  metered: "metered",
  "save-data": "save-data",
  hours: "calming",
  "data-cap": "save-data",
  pressure: "pressure",
  busy: "pressure",
  hot: "pressure",
  calming: "calming",
};

/** The provider of the frame and what stands around it: consent that ends, a person who presses, a page that may cover it. */
export function createFrameState({ relayUrl, site, grant }: FrameParts): FrameState {
  const live = signal<ProviderState | undefined>(undefined);
  const wish = signal<"run" | "stopped" | "ended" | "unable">("run");
  const seen = signal<Seen>("away");
  const isBusy = signal(false);
  let calming: ReturnType<typeof setTimeout> | undefined;
  const activeMs = signal(0);
  const detail = signal<string | undefined>(undefined);
  let provider: Promise<Provider> | undefined;
  let ticked = performance.now();
  let asked = ticked;

  const open = async (): Promise<Provider> => {
    const session: SessionIdentity = await openGrant(grant, Date.now());
    const made = await openFrameProvider({ relayUrl, site: site.site, session });
    made.subscribe((state) => {
      live.value = state;
      // Taken back elsewhere: in the window of consent, or because its time is over by the relay's clock.
      if (OVER.has(state.failure?.code ?? 0) && wish.value === "run") void withdraw();
    });
    return made;
  };

  const change = async (): Promise<void> => {
    const isLet = seen.value !== "covered" && seen.value !== "small" && !isBusy.value;
    const runs = wish.value === "run" && isLet;
    if (provider === undefined && !runs) return;
    try {
      provider ??= open();
      const there = await provider;
      await (runs ? there.start() : there.stop());
      live.value = there.state();
    } catch (error) {
      provider = undefined;
      wish.value = "unable";
      detail.value = error instanceof Error ? error.message : "unknown";
    }
  };

  let settling: Promise<void> | undefined;
  /** Brings the provider to where it should be; one change after the other. */
  const settle = async (): Promise<void> => {
    const before = settling;
    const next = (async (): Promise<void> => {
      await before;
      await change();
    })();
    settling = next;
    await next;
  };

  const end = async (next: "stopped" | "ended"): Promise<void> => {
    wish.value = next;
    await settle();
  };

  const withdraw = async (): Promise<void> => {
    forgetGrant(site.site);
    await end("ended");
  };

  setInterval(() => {
    const now = performance.now();
    if (ACTIVE.has(live.value?.phase ?? "stopped")) activeMs.value += now - ticked;
    ticked = now;
    if (live.value?.phase === "elsewhere" && now - asked > ASK_AGAIN_MS) {
      asked = now;
      void settle();
    }
    if (Date.now() < grant.until || wish.value === "ended") return;
    void withdraw();
  }, TICK_MS);

  const view = computed((): FrameView => {
    const state = live.value;
    return {
      ...shown(state, wish.value, isBusy.value ? "busy" : seen.value),
      ...(state === undefined ? {} : { state }),
      ...(detail.value === undefined ? {} : { detail: detail.value }),
      activeMs: activeMs.value,
      until: grant.until,
    };
  });

  return {
    site,
    view,
    isSeen: computed(() => seen.value === "seen"),
    async start() {
      keepGrant(site.site, grant);
      detail.value = undefined;
      wish.value = "run";
      await settle();
    },
    stop() {
      // Nothing that the page does lets it begin on the next page: that takes a press here, or in the window.
      forgetGrant(site.site);
      return end("stopped");
    },
    withdraw,
    see(next) {
      seen.value = next;
      if (wish.value === "run") void settle();
    },
    rest(busy) {
      clearTimeout(calming);
      const follow = (): void => {
        isBusy.value = busy;
        if (wish.value === "run") void settle();
      };
      if (busy) follow();
      else calming = setTimeout(follow, CALM_MS);
    },
  };
}

/** What is said of all that: the person's wish first, then what the page does to the frame, then the provider. */
export function shown(
  state: ProviderState | undefined,
  wish: "run" | "stopped" | "ended" | "unable",
  seen: Seen | "busy",
): Pick<FrameView, "phase" | "pause"> {
  if (wish === "unable") return { phase: "unable" };
  const isStill = state === undefined || state.phase === "stopped";
  if (wish !== "run") return { phase: isStill || state.phase === "failed" ? wish : "stopping" };
  if (seen === "busy") return { phase: "paused", pause: "pressure" };
  if (seen === "covered" || seen === "small") return { phase: "paused", pause: seen };
  const phase = state?.phase;
  switch (phase) {
    case undefined:
    case "stopped":
    case "starting":
      return { phase: "starting" };
    case "draining":
      return { phase: "stopping" };
    case "paused":
      return { phase: "paused", pause: PAUSES[state?.governor?.reasons[0] ?? "calming"] };
    case "waiting":
    case "working":
    case "reconnecting":
    case "elsewhere":
    case "failed":
      return { phase };
    default:
      return phase satisfies never;
  }
}

const PAGE_PHASES: Readonly<Record<FrameView["phase"], WidgetPhase>> = {
  starting: "starting",
  waiting: "waiting",
  working: "working",
  reconnecting: "starting",
  paused: "paused",
  stopping: "stopped",
  stopped: "stopped",
  elsewhere: "paused",
  unable: "failed",
  failed: "failed",
  ended: "ended",
};

/** The same for the page, in fewer words. */
export function pagePhase({ phase }: Pick<FrameView, "phase">): WidgetPhase {
  return PAGE_PHASES[phase];
}
