import { ALERT_OPERATIONS } from "./alert-operations.ts";
import { GATEWAY_PATHS } from "../gateway/gateway-paths.ts";
import { RELAY_PATHS } from "../../protocol/relay-api.ts";
import { ACCOUNT_OPERATIONS } from "./account-operations.ts";
import { DEPLOYMENT_OPERATIONS } from "./deployment-operations.ts";
import { messageBody, type Operation, rawBody, textBody, view } from "./operation.ts";
import { PAYOUT_OPERATIONS } from "./payout-operations.ts";
import { RUN_OPERATIONS, RUN_SCHEMAS } from "./run-operations.ts";
import { SITE_OPERATIONS } from "./site-operations.ts";
import { TILE_PATHS } from "./tile-routes.ts";
import { cid, type Json, listOf, peer, schemas, text, whole } from "./open-api-schemas.ts";

/** The interface as an OpenAPI 3.1 document. Messages are described in docs/wire.md; here they are bytes of MESSAGE_TYPE. */

const jsonBody: Json = { "application/json": { schema: { type: "object" } } };

/** OpenAI's interface, in that interface's own shapes: docs/gateway.md says what is different. */
const GATEWAY_OPERATIONS: readonly Operation[] = [
  { path: GATEWAY_PATHS.chat, does: "Answers a conversation, whole or as server-sent events" },
  { path: GATEWAY_PATHS.completions, does: "Goes on with a text, whole or as server-sent events" },
  { path: GATEWAY_PATHS.embeddings, does: "Turns texts into vectors" },
].map(({ path, does }) => ({
  method: "post",
  path,
  summary: `${does}; with an API key (docs/gateway.md)`,
  body: jsonBody,
  answer: jsonBody,
}));

const OPERATIONS: readonly Operation[] = [
  {
    method: "get",
    path: RELAY_PATHS.relay,
    summary: "What a client must know first",
    answer: view("RelayInfo"),
  },
  {
    method: "post",
    path: RELAY_PATHS.jobs,
    summary: "Submits a job, or asks for more of its leases; safe to repeat",
    body: messageBody,
    answer: messageBody,
  },
  { method: "get", path: RELAY_PATHS.job, summary: "How a job stands", answer: view("JobView") },
  {
    method: "post",
    path: RELAY_PATHS.closeJob,
    summary: "No further leases; frees what is not bound",
    body: messageBody,
    answer: view("JobView"),
  },
  {
    method: "post",
    path: RELAY_PATHS.cancelLease,
    summary: "Gives a lease back whose provider cannot be reached",
    body: messageBody,
    answer: view("JobView"),
  },
  {
    method: "post",
    path: RELAY_PATHS.reports,
    summary: "Logs the newest receipt of a lease; safe to repeat",
    body: messageBody,
    answer: messageBody,
  },
  {
    method: "post",
    path: RELAY_PATHS.openings,
    summary: "Lays a drawn outcome open, to be recomputed; safe to repeat",
    body: messageBody,
    answer: undefined,
  },
  {
    method: "post",
    path: RELAY_PATHS.disputes,
    summary: "Logs a receipt that its requester does not countersign; all of it is recomputed",
    body: messageBody,
    answer: messageBody,
  },
  {
    method: "post",
    path: RELAY_PATHS.reveals,
    summary: "Lays the requester's share of the draw open, when its job is over",
    body: messageBody,
    answer: messageBody,
  },
  {
    method: "post",
    path: RELAY_PATHS.referees,
    summary: "Asks for outcomes of replicas to be recomputed, and how far that is; safe to repeat",
    body: messageBody,
    answer: messageBody,
  },
  {
    method: "post",
    path: RELAY_PATHS.retire,
    summary: "Asks for held pay and bond; the record begins anew",
    body: messageBody,
    answer: messageBody,
  },
  {
    method: "get",
    path: RELAY_PATHS.standing,
    summary: "How a provider stands: record, held pay, and why it gets the work it gets",
    answer: view("StandingView"),
  },
  {
    method: "post",
    path: RELAY_PATHS.revocations,
    summary: "Revokes a session key",
    body: messageBody,
    answer: messageBody,
  },
  {
    method: "put",
    path: RELAY_PATHS.blob,
    summary: "Stores bytes that hash to the CID",
    body: rawBody,
    answer: undefined,
  },
  { method: "get", path: RELAY_PATHS.blob, summary: "Bytes of a CID", answer: rawBody },
  ...ACCOUNT_OPERATIONS,
  { method: "get", path: RELAY_PATHS.checkpoint, summary: "Signed head of the log", answer: textBody },
  { method: "get", path: RELAY_PATHS.entry, summary: "Bytes of a log entry", answer: rawBody },
  {
    method: "get",
    path: RELAY_PATHS.inclusion,
    summary: "Proof that the log holds an entry",
    query: { index: whole },
    required: ["index"],
    answer: messageBody,
  },
  {
    method: "get",
    path: RELAY_PATHS.consistency,
    summary: "Proof that one head of the log extends another",
    query: { from: whole, to: whole },
    required: ["from", "to"],
    answer: messageBody,
  },
  {
    method: "get",
    path: RELAY_PATHS.evidence,
    summary: "Two statements that convict somebody, as `tabmesh verify` judges them",
    answer: messageBody,
  },
  {
    method: "get",
    path: RELAY_PATHS.keyRotations,
    summary: "Where the log tells of changed keys",
    answer: view("KeyRotations"),
  },
  {
    method: "get",
    path: TILE_PATHS.checkpoint,
    summary: "Signed head of the log, where C2SP tlog-tiles has it",
    answer: textBody,
  },
  {
    method: "get",
    path: TILE_PATHS.tile,
    summary: "Hashes or entries of the log, as C2SP tlog-tiles",
    answer: rawBody,
  },
  {
    method: "get",
    path: RELAY_PATHS.models,
    summary: "Published models, in the list form of OpenAI's interface",
    answer: view("ModelList"),
  },
  {
    method: "post",
    path: RELAY_PATHS.models,
    summary: "Publishes a model under a name, once its chunks are here",
    body: messageBody,
    answer: view("Model"),
  },
  {
    method: "get",
    path: RELAY_PATHS.model,
    summary: "A published model, by name or CID",
    answer: view("Model"),
  },
  {
    method: "post",
    path: RELAY_PATHS.unpublishModel,
    summary: "Takes a name back",
    body: messageBody,
    answer: undefined,
  },
  {
    method: "get",
    path: RELAY_PATHS.modelPeers,
    summary: "Providers that hold a model",
    answer: view("ModelPeers"),
  },
  {
    method: "post",
    path: RELAY_PATHS.apiKeys,
    summary: "Lets the gateway spend an account's money for whoever has a key",
    body: messageBody,
    answer: messageBody,
  },
  {
    method: "post",
    path: RELAY_PATHS.apiKeyRevocations,
    summary: "Takes a key back",
    body: messageBody,
    answer: messageBody,
  },
  {
    method: "get",
    path: RELAY_PATHS.accountApiKeys,
    summary: "API keys of an account, newest first",
    answer: { "application/json": { schema: listOf({ $ref: "#/components/schemas/ApiKey" }) } },
  },
  ...PAYOUT_OPERATIONS,
  ...DEPLOYMENT_OPERATIONS,
  ...SITE_OPERATIONS,
  ...RUN_OPERATIONS,
  ...ALERT_OPERATIONS,
  ...GATEWAY_OPERATIONS,
  { method: "get", path: "/healthz", summary: "Whether the relay can do its work", answer: view("Health") },
  { method: "get", path: "/metrics", summary: "Numbers for Prometheus", answer: textBody },
  { method: "get", path: "/openapi.json", summary: "This document", answer: { "application/json": {} } },
];

/** A path of RELAY_PATHS as OpenAPI writes it. */
function template(path: string): string {
  return path.replaceAll(/:([a-z]+)/gu, "{$1}");
}

/** Parts of paths that are no CIDs. */
const PARAMETERS: Readonly<Record<string, Json>> = {
  peer,
  index: whole,
  place: {
    type: "string",
    description: "As in 0/x001/234, 1/000.p/12 or entries/x001/234; has slashes in it",
  },
  model: { type: "string", description: "Name of a published model, or its CID" },
  name: { type: "string", description: "a to z, digits and hyphens, as in a host name" },
};

function parametersOf({ path, query = {}, required = [] }: Operation): readonly Json[] {
  const inPath = [...path.matchAll(/:([a-z]+)/gu)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: name === undefined ? text : (PARAMETERS[name] ?? cid),
  }));
  const inQuery = Object.entries(query).map(([name, schema]) => ({
    name,
    in: "query",
    required: required.includes(name),
    schema,
  }));
  return [...inPath, ...inQuery];
}

function described(operation: Operation): Json {
  const { summary, body, answer } = operation;
  const success =
    answer === undefined
      ? { "204": { description: "Stored" } }
      : { "200": { description: "OK", content: answer } };
  return {
    summary,
    parameters: parametersOf(operation),
    ...(body === undefined ? {} : { requestBody: { required: true, content: body } }),
    responses: { ...success, default: { description: "Refused", content: view("Error") } },
  };
}

export function openApi(version: string): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const operation of OPERATIONS) {
    const at = (paths[template(operation.path)] ??= {});
    at[operation.method] = described(operation);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Tabmesh relay",
      version,
      description: "Matches jobs to providers, keeps the accounts and a log that anyone can check.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    paths,
    components: { schemas: { ...schemas, ...RUN_SCHEMAS } },
  };
}
