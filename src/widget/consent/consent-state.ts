import { type ReadonlySignal, signal } from "@preact/signals";
import { SEED_BYTES } from "../../protocol/ed25519.ts";
import type { AccountView } from "../../protocol/relay-api.ts";
import type { SiteView } from "../../protocol/site-views.ts";
import { type SiteVisits, siteSeed } from "../../provider/site-visit.ts";
import type { Identity, TabMemory } from "../../provider/tab-memory.ts";
import { CONSENT_MS, RETIRE_AFTER_MS } from "../limits.ts";
import { openFrame } from "./hand-over.ts";
import { forgetVisit, readVisit, writeVisit } from "./visit-record.ts";

export type ConsentStep = "asking" | "joining" | "done" | "silent" | "failed" | "withdrawn" | "moved";

/** What the window shows. */
export interface ConsentView {
  readonly step: ConsentStep;
  /** Until when the person has agreed; absent where they have not. */
  readonly until?: number;
  /** What there is of the person at this site; absent where nothing is known. */
  readonly account?: AccountView;
  /** Of a failure. */
  readonly cause?: string;
}

export interface ConsentState {
  readonly site: SiteView;
  readonly view: ReadonlySignal<ConsentView>;
  /** Whether the browser keeps the person's key here; else it is gone with this window, but for its words. */
  readonly isKept: boolean;
  /** The page that opened this window; undefined where it was opened by itself. */
  readonly page: Window | undefined;
  agree(): Promise<void>;
  withdraw(): Promise<void>;
  /** What is available goes to the person's own account. */
  move(): Promise<void>;
  /** The key of the account at this site in words, a secret. */
  claimCode(): Promise<readonly string[]>;
}

export interface ConsentParts {
  readonly site: SiteView;
  readonly visits: SiteVisits;
  /** What this origin keeps; undefined where the browser refuses. */
  readonly memory: TabMemory | undefined;
  readonly page: Window | undefined;
}

/** Where all of a consent comes together: the person's key, which stays here, the relay, and the page that asked. */
export async function createConsentState({
  site,
  visits,
  memory,
  page,
}: ConsentParts): Promise<ConsentState> {
  const known = readVisit(site.site, Date.now());
  const view = signal<ConsentView>({
    step: "asking",
    ...(known === undefined ? {} : { until: known.until }),
  });
  const set = (change: Partial<ConsentView>): void => {
    view.value = { ...view.value, ...change };
  };

  const unkept = crypto.getRandomValues(new Uint8Array(SEED_BYTES));
  const seedOf = (identity: Identity | undefined): Promise<Uint8Array> =>
    identity === undefined ? Promise.resolve(unkept) : siteSeed(identity.seed, site.site);
  /** Made together with the person's own key, where there is none yet. */
  const seed = async (): Promise<Uint8Array> => seedOf(await memory?.identity.ensure());

  const attempt = async (step: ConsentStep, act: () => Promise<ConsentStep>): Promise<void> => {
    set({ step });
    try {
      set({ step: await act() });
    } catch (error) {
      set({ step: "failed", cause: error instanceof Error ? error.message : "unknown" });
    }
  };

  const lookUp = async (): Promise<void> => {
    const identity = await memory?.identity.load();
    if (identity === undefined) return;
    set({ account: await visits.account(await seedOf(identity)) });
  };

  const state: ConsentState = {
    site,
    view,
    isKept: memory !== undefined,
    page,
    agree: () =>
      attempt("joining", async () => {
        if (page === undefined) return "silent";
        const frame = await openFrame(page, site);
        if (frame === undefined) return "silent";
        const nowMs = Date.now();
        // Not longer than was agreed to: going on does not begin anew.
        const until = readVisit(site.site, nowMs)?.until ?? nowMs + CONSENT_MS;
        const { session } = frame;
        const terms = { site, session, nowMs, untilMs: until, retireAfterMs: RETIRE_AFTER_MS };
        const grant = await visits.admit(await seed(), terms);
        const sessions = [...(readVisit(site.site, nowMs)?.sessions ?? []), session];
        writeVisit(site.site, { until, sessions });
        frame.give({ ...grant, until });
        set({ until });
        return "done";
      }),
    withdraw: () =>
      attempt("joining", async () => {
        const record = readVisit(site.site, Date.now());
        forgetVisit(site.site);
        const { until: _, ...rest } = view.value;
        view.value = rest;
        if (record !== undefined && record.sessions.length > 0)
          await visits.revoke(await seed(), record.sessions);
        return "withdrawn";
      }),
    move: () =>
      attempt("joining", async () => {
        const own = await memory?.identity.ensure();
        if (own === undefined) return "failed";
        await visits.sweep(await seedOf(own), own.peer, Date.now());
        await lookUp();
        return "moved";
      }),
    async claimCode() {
      const { phraseOf } = await import("../../provider/key-words.ts");
      return phraseOf({ seed: new Uint8Array(await seed()) });
    },
  };
  // Not waited for: the question stands without it.
  void lookUp().catch(() => {});
  return state;
}
