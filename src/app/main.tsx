import { render } from "preact";
import { App } from "./app.tsx";
import { createAppState } from "./state/app-state.ts";

const root = document.querySelector("#app");
if (root === null) throw new Error("index.html has no #app");

const state = await createAppState();
render(<App state={state} />, root);
void state.relay.refresh();
addEventListener("online", () => void state.relay.refresh());
void state.able?.account.refresh();
void state.able?.contribution.recall();
