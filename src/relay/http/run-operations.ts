import { RELAY_PATHS, RUN_ACCESS_HEADER, RUN_ROLES } from "../../protocol/relay-api.ts";
import { RUN_STATES } from "../../protocol/run-views.ts";
import { cid, decimal, flag, type Json, listOf, object, peer, text, whole } from "./open-api-schemas.ts";
import { messageBody, type Operation, rawBody, view } from "./operation.ts";

const summary = {
  run: cid,
  plan: cid,
  name: { ...text, description: "of the plan" },
  initiator: peer,
  payer: peer,
  state: { enum: RUN_STATES },
  budget: decimal,
  spent: decimal,
  issuedAt: whole,
  entryIndex: whole,
};

/** What answers about runs and names look like, by name. */
export const RUN_SCHEMAS: Readonly<Record<string, Json>> = {
  RunSummary: object(summary),
  Run: object(
    {
      ...summary,
      setAside: decimal,
      left: decimal,
      params: cid,
      notAfter: whole,
      returnTo: text,
      coordinators: listOf(object({ peer, silentMs: whole }, ["silentMs"])),
      holdersRev: whole,
      holdersIndex: whole,
      steps: { ...whole, description: "receipts that wait at the relay" },
      endedAt: whole,
      result: cid,
      code: whole,
      detail: text,
      jobs: listOf(
        object({
          job: cid,
          node: text,
          turn: whole,
          coordinator: peer,
          state: { enum: ["open", "closing", "closed"] },
          cap: decimal,
          spent: decimal,
          refunded: decimal,
        }),
      ),
    },
    ["holdersIndex", "endedAt", "result", "code", "detail"],
  ),
  Name: object(
    {
      name: text,
      owner: peer,
      version: whole,
      issuedAt: whole,
      expires: whole,
      plan: cid,
      peers: listOf(object({ peer, online: flag, addresses: listOf(text) })),
      envelope: { ...text, description: "the owner's message, base64" },
    },
    ["plan", "peers"],
  ),
};

const events: Json = { "text/event-stream": { schema: text } };
const withAccess = `with the header ${RUN_ACCESS_HEADER} of somebody who takes part`;

export const RUN_OPERATIONS: readonly Operation[] = [
  {
    method: "post",
    path: RELAY_PATHS.runEffects,
    summary: "The relay carries out an effect of the run itself, at most once; safe to repeat",
    body: messageBody,
    answer: messageBody,
  },
  {
    method: "post",
    path: RELAY_PATHS.runs,
    summary: "Registers a run with its plan and parameters; safe to repeat",
    body: messageBody,
    answer: messageBody,
  },
  {
    method: "get",
    path: RELAY_PATHS.run,
    summary: "How a run stands: its budget, who coordinates it, its jobs, how it ended",
    answer: view("Run"),
  },
  {
    method: "post",
    path: RELAY_PATHS.runHolders,
    summary: "Says who else may coordinate a run; safe to repeat",
    body: messageBody,
    answer: messageBody,
  },
  {
    method: "post",
    path: RELAY_PATHS.runEnd,
    summary: "Ends a run; of several ends the first counts",
    body: messageBody,
    answer: messageBody,
  },
  {
    method: "post",
    path: RELAY_PATHS.runSteps,
    summary: `Leaves receipts of a run, ${withAccess}; with none a coordinator's sign of life; safe to repeat`,
    body: messageBody,
    answer: undefined,
  },
  {
    method: "get",
    path: RELAY_PATHS.runSteps,
    summary: `Receipts of a run from a place on, ${withAccess}`,
    query: { from: whole },
    answer: messageBody,
  },
  {
    method: "get",
    path: RELAY_PATHS.runEvents,
    summary: `Receipts of a run as they come, and its state, ${withAccess}; resumed by Last-Event-ID`,
    answer: events,
  },
  {
    method: "put",
    path: RELAY_PATHS.runValue,
    summary: `Leaves a value that the run or one of its receipts names, ${withAccess}`,
    body: rawBody,
    answer: undefined,
  },
  {
    method: "get",
    path: RELAY_PATHS.runValue,
    summary: `Plan, parameters, or a value that waits for a run, ${withAccess}`,
    answer: rawBody,
  },
  {
    method: "get",
    path: RELAY_PATHS.accountRuns,
    summary:
      "Runs that an account started or pays for, or that are open and name it as a holder; newest first",
    query: { role: { enum: RUN_ROLES }, before: whole, limit: whole },
    answer: { "application/json": { schema: listOf({ $ref: "#/components/schemas/RunSummary" }) } },
  },
  {
    method: "put",
    path: RELAY_PATHS.name,
    summary: "Registers a name for peers or a plan, signed by its owner; safe to repeat",
    body: messageBody,
    answer: view("Name"),
  },
  {
    method: "get",
    path: RELAY_PATHS.name,
    summary: "What a name stands for, and who of its peers is here",
    answer: view("Name"),
  },
  {
    method: "get",
    path: RELAY_PATHS.accountNames,
    summary: "Names of an account",
    answer: { "application/json": { schema: listOf({ $ref: "#/components/schemas/Name" }) } },
  },
];
