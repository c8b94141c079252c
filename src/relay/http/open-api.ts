import { FAILURE_KINDS } from "../../protocol/failure-code.ts";
import { MESSAGE_TYPE, RELAY_PATHS } from "../../protocol/relay-api.ts";

/** The interface as an OpenAPI 3.1 document. Messages are described in docs/wire.md; here they are bytes of MESSAGE_TYPE. */

type Json = Readonly<Record<string, unknown>>;

const text: Json = { type: "string" };
const whole: Json = { type: "integer", minimum: 0 };
const flag: Json = { type: "boolean" };
const decimal: Json = { type: "string", pattern: "^(0|[1-9][0-9]{0,19})$", description: "64-bit amount" };
const cid: Json = { type: "string", description: "CIDv1, raw or dag-cbor, SHA-256, base32" };
const peer: Json = { type: "string", description: "Ed25519 peer id, 12D3KooW…" };

function listOf(items: Json): Json {
  return { type: "array", items };
}

/** An object whose properties are all required, but those of `optional`. */
function object(properties: Readonly<Record<string, Json>>, optional: readonly string[] = []): Json {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: "object", properties, required };
}

const schemas: Readonly<Record<string, Json>> = {
  RelayInfo: object({
    name: text,
    version: text,
    origin: text,
    asset: text,
    testMoney: flag,
    wireVersions: listOf(whole),
    profiles: listOf(whole),
    keys: object({ log: peer, lease: peer, draw: peer }),
    tariff: object({ perGfuel: decimal, perTask: decimal, perKiB: decimal, perInstantiation: decimal }),
    policy: cid,
    peer,
    addresses: listOf(text),
    iceServers: listOf(
      object({ urls: listOf(text), username: text, credential: text }, ["username", "credential"]),
    ),
  }),
  AccountView: object({
    peer,
    asset: text,
    available: decimal,
    escrowed: decimal,
    pending: decimal,
    earned: decimal,
    earnedToday: decimal,
    logSize: whole,
  }),
  ReceiptView: object({
    entryIndex: whole,
    time: whole,
    lease: cid,
    job: cid,
    workCid: cid,
    requester: peer,
    count: whole,
    payable: whole,
    fuel: decimal,
    amount: decimal,
    final: flag,
    settled: flag,
  }),
  EarningsPoint: object({ start: whole, amount: decimal, tasks: whole }),
  JobView: object({
    job: cid,
    state: { enum: ["open", "closing", "closed"] },
    cap: decimal,
    spent: decimal,
    refunded: decimal,
    leases: listOf(
      object({
        lease: cid,
        provider: peer,
        state: { enum: ["open", "returning", "settled"] },
        count: whole,
        amount: decimal,
      }),
    ),
  }),
  KeyRotations: object({ indices: listOf(whole) }),
  Health: object({ ok: flag, books: flag, disk: flag, mesh: flag }),
  Error: object({
    error: object({
      code: { enum: FAILURE_KINDS.map(({ code }) => code) },
      name: { enum: FAILURE_KINDS.map(({ name }) => name) },
      detail: text,
      means: text,
      advice: text,
    }),
  }),
};

function view(name: string): Json {
  return { "application/json": { schema: { $ref: `#/components/schemas/${name}` } } };
}

const messageBody: Json = { [MESSAGE_TYPE]: { schema: { type: "string", format: "binary" } } };
const rawBody: Json = { "application/octet-stream": { schema: { type: "string", format: "binary" } } };
const textBody: Json = { "text/plain": { schema: text } };

interface Operation {
  readonly method: "get" | "post" | "put" | "head";
  readonly path: string;
  readonly summary: string;
  readonly answer: Json | undefined;
  readonly body?: Json;
  readonly query?: Readonly<Record<string, Json>>;
  readonly required?: readonly string[];
}

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
  {
    method: "get",
    path: RELAY_PATHS.account,
    summary: "Balances of an identity",
    answer: view("AccountView"),
  },
  {
    method: "get",
    path: RELAY_PATHS.accountReceipts,
    summary: "Newest receipt of each lease, newest first",
    query: { before: whole, limit: whole },
    answer: { "application/json": { schema: listOf({ $ref: "#/components/schemas/ReceiptView" }) } },
  },
  {
    method: "get",
    path: RELAY_PATHS.accountEarnings,
    summary: "Earnings over time",
    query: { bucket: { enum: ["hour", "day"] }, from: whole },
    required: ["bucket"],
    answer: { "application/json": { schema: listOf({ $ref: "#/components/schemas/EarningsPoint" }) } },
  },
  {
    method: "get",
    path: RELAY_PATHS.accountEvents,
    summary: "Server-sent events `account` and `receipt`; resumed by Last-Event-ID",
    answer: { "text/event-stream": { schema: text } },
  },
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
    path: RELAY_PATHS.keyRotations,
    summary: "Where the log tells of changed keys",
    answer: view("KeyRotations"),
  },
  { method: "get", path: "/healthz", summary: "Whether the relay can do its work", answer: view("Health") },
  { method: "get", path: "/metrics", summary: "Numbers for Prometheus", answer: textBody },
  { method: "get", path: "/openapi.json", summary: "This document", answer: { "application/json": {} } },
];

/** A path of RELAY_PATHS as OpenAPI writes it. */
function template(path: string): string {
  return path.replaceAll(/:([a-z]+)/gu, "{$1}");
}

function parametersOf({ path, query = {}, required = [] }: Operation): readonly Json[] {
  const inPath = [...path.matchAll(/:([a-z]+)/gu)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: name === "peer" ? peer : name === "index" ? whole : cid,
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
    components: { schemas },
  };
}
