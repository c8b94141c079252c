/** The thread in which functions run: no network, no storage, and one line to the page, which is the first thing it is sent. */
import { answerCalls } from "../src/sandbox/answer-calls.ts";
import { lockDownRealm } from "../src/sandbox/lock-down-realm.ts";

// Kept in here alone: what runs in this thread finds no clock.
const { setTimeout: later } = globalThis;
const rest = (ms: number): Promise<void> => new Promise((resolve) => later(resolve, ms));

lockDownRealm(globalThis);
globalThis.addEventListener(
  "message",
  ({ ports: [line] }) => {
    if (line !== undefined) answerCalls(line, { warm: true, rest });
  },
  { once: true },
);
