import { render } from "preact";
import { App } from "./app.tsx";
import { createAppState } from "./state/app-state.ts";
import { comesBack, pastOfPage } from "./state/come-back.ts";
import type { Contribution } from "./state/contribution.ts";

const root = document.querySelector("#app");
if (root === null) throw new Error("index.html has no #app");

const state = await createAppState();
render(<App state={state} />, root);
void state.relay.refresh();
addEventListener("online", () => void state.relay.refresh());
void state.able?.account.refresh();
void goOn(state.able?.contribution);

/** Remembers the person's consent; a tab that the browser discarded while it was contributing goes on. */
async function goOn(contribution: Contribution | undefined): Promise<void> {
  if (contribution === undefined) return;
  const wasOn = comesBack(pastOfPage(), contribution.isOn);
  await contribution.recall();
  if (wasOn && contribution.hasConsent.value) await contribution.press();
}
