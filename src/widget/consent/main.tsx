import { render } from "preact";
import { failureCode } from "../../protocol/failure-code.ts";
import { FailureError } from "../../protocol/failure.ts";
import { isSiteId, type SiteId } from "../../protocol/site.ts";
import { createSiteVisits } from "../../provider/site-visit.ts";
import { openTabMemory } from "../../provider/tab-memory.ts";
import { fill } from "../words/fill.ts";
import { loadWords, type Tongue } from "../words/load-words.ts";
import { ConsentApp, ConsentPage } from "./consent-app.tsx";
import { createConsentState } from "./consent-state.ts";
import { watchArmed } from "./watch-armed.ts";

const root = document.querySelector("#widget");
if (root === null) throw new Error("consent.html has no #widget");

/** How long a person sees that it worked, before the window goes. */
const FAREWELL_MS = 600;

async function run(site: SiteId, tongue: Tongue, target: Element): Promise<void> {
  const visits = createSiteVisits(location.origin);
  const [view, info, memory] = await Promise.all([visits.site(site), visits.info(), openTabMemory()]);
  const opener: Window | null = globalThis.opener;
  const consent = await createConsentState({
    site: view,
    visits,
    memory: memory.kind === "open" ? memory.memory : undefined,
    page: opener ?? undefined,
  });
  const armed = watchArmed();
  render(<ConsentApp tongue={tongue} consent={consent} testMoney={info.testMoney} armed={armed} />, target);
  // What the browser does not keep is shown first: closing would be losing it.
  const isSafe = consent.isKept || view.share === 0;
  consent.view.subscribe(({ step }) => {
    if (step === "done" && isSafe) setTimeout(() => globalThis.close(), FAREWELL_MS);
  });
}

const query = new URLSearchParams(location.search);
const site = query.get("site");
const tongue = await loadWords(query.get("lang") ?? "en");
const { consent: words } = tongue.words;
document.documentElement.lang = tongue.language;
document.documentElement.dir = tongue.direction;
try {
  if (!isSiteId(site)) throw new FailureError("not-found", "no site is named");
  await run(site, tongue, root);
} catch (error) {
  const isUnknown = error instanceof FailureError && error.code === failureCode("not-found");
  const cause = error instanceof Error ? error.message : "unknown";
  render(
    <ConsentPage title="Tabmesh">
      <p class="notice notice-alarm">{isUnknown ? words.unknown : fill(words.failed, { cause })}</p>
    </ConsentPage>,
    root,
  );
}
root.querySelector("h1")?.focus();
