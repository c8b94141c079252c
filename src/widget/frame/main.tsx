import { computed, effect } from "@preact/signals";
import { render } from "preact";
import { createSiteVisits } from "../../provider/site-visit.ts";
import type { SizeMessage, StateMessage } from "../page-messages.ts";
import { readMessage } from "../page-messages.ts";
import { loadWords } from "../words/load-words.ts";
import { FrameApp } from "./frame-app.tsx";
import { readFramePlace, type FramePlace } from "./frame-place.ts";
import { createFrameState, pagePhase } from "./frame-state.ts";
import { type Grant, keptGrant, receiveGrant } from "./grant.ts";
import { applyTheme } from "./theme.ts";
import { watchSeen } from "./watch-seen.ts";

const root = document.querySelector("#widget");
if (root === null) throw new Error("frame.html has no #widget");

const MINUTE_MS = 60_000;

/** Nobody but a page of the site gets a word of this: the relay lets no other page hold the frame, and the browser no other read it. */
function tell(page: string, message: StateMessage | SizeMessage): void {
  parent.postMessage(message, page);
}

async function grantFor({ site, ticket }: FramePlace): Promise<Grant | undefined> {
  if (ticket === undefined) return keptGrant(site, Date.now());
  return receiveGrant(site, ticket);
}

async function run(place: FramePlace, target: Element): Promise<void> {
  const visits = createSiteVisits(location.origin);
  // The window knocks as soon as the frame is there.
  const granted = grantFor(place);
  const [site, info, tongue] = await Promise.all([
    visits.site(place.site),
    visits.info(),
    loadWords(place.language),
  ]);
  const { page } = site;
  document.documentElement.lang = tongue.language;
  document.documentElement.dir = tongue.direction;
  render(<p class="frame-joining">{tongue.words.phases.starting}</p>, target);
  tell(page, { tabmesh: "size", height: Math.ceil(target.getBoundingClientRect().height) });
  const grant = await granted;
  if (grant === undefined)
    return tell(page, { tabmesh: "state", phase: "ended", minutes: 0, amount: "0", until: 0 });

  const frame = createFrameState({ relayUrl: location.origin, site, grant });
  render(<FrameApp tongue={tongue} frame={frame} testMoney={info.testMoney} />, target);
  const forPage = computed((): StateMessage => {
    const { phase, activeMs, state, until } = frame.view.value;
    const [minutes, amount] = [Math.floor(activeMs / MINUTE_MS), `${state?.earned ?? 0n}`];
    return { tabmesh: "state", phase: pagePhase({ phase }), minutes, amount, until };
  });
  let told = "";
  effect(() => {
    const text = JSON.stringify(forPage.value);
    if (text !== told) tell(page, forPage.value);
    told = text;
  });
  new ResizeObserver(() => {
    tell(page, { tabmesh: "size", height: Math.ceil(target.getBoundingClientRect().height) });
  }).observe(target);
  addEventListener("message", ({ data, origin, source }) => {
    const said = origin === page && source === parent ? readMessage(data) : undefined;
    if (said?.tabmesh !== "wish") return;
    if (said.wish === "stop") void frame.stop();
    else frame.rest(said.wish === "rest");
  });
  watchSeen(target, (seen) => frame.see(seen));
  await frame.start();
}

const place = readFramePlace(location);
// Opened by itself this page is nothing: it has no page to work for.
if (place !== undefined && parent !== globalThis.self) {
  applyTheme(place.theme);
  await run(place, root);
}
