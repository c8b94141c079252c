/** The thread in which functions run: no network, no storage, and one line to the page, which is the first thing it is sent. */
import { answerCalls } from "../src/sandbox/answer-calls.ts";
import { lockDownRealm } from "../src/sandbox/lock-down-realm.ts";

lockDownRealm(globalThis);
globalThis.addEventListener(
  "message",
  ({ ports: [line] }) => {
    if (line !== undefined) answerCalls(line, { warm: true });
  },
  { once: true },
);
