import { readFileSync, writeFileSync } from "node:fs";
import { FRAME_CREDIT_STEP_BYTES, FRAME_WINDOW_BYTES } from "../mesh/limits.ts";
import { FAILURE_KINDS } from "./failure-code.ts";
import * as limits from "./limits.ts";
import * as protocols from "./protocol-id.ts";

/**
 * The parts of docs/wire.md that are written by program, so that they stay true. Run this file with Node to write them:
 * `node src/protocol/wire-doc.contract.ts`, then oxfmt for its tables.
 */
export const WIRE_DOC: URL = new URL("../../docs/wire.md", import.meta.url);

const LIMIT_WORDS: Readonly<Record<keyof typeof limits, string>> = {
  WIRE_VERSION: "version of this format",
  SANDBOX_PROFILE: "profile of the sandbox",
  MAX_BODY_BYTES: "bytes of one body",
  MAX_ENVELOPE_BYTES: "bytes of one envelope",
  MAX_SIGNATURES: "signatures on one envelope",
  MAX_ENTRY_BYTES: "bytes of one log entry",
  MAX_DEPTH: "nested field names and list places",
  MAX_ITEMS: "items of a list, unless its field says less",
  MAX_TEXT_BYTES: "bytes of a text, unless its field says less",
  MAX_EXT_KEYS: "keys in `ext`, names in `crit`",
  MAX_PROOF_HASHES: "hashes in a proof",
  MAX_FRAME_BYTES: "bytes of a frame's payload",
  MAX_BLOB_BYTES: "bytes of a blob",
  MAX_TASK_BYTES: "bytes of a task's input or output",
  MAX_ARGS_BYTES: "bytes of encoded job-args",
  MAX_TASKS_PER_JOB: "tasks of a job",
  MAX_JOB_LIFETIME_MS: "ms from issue to expiry of a job",
  CLOCK_SKEW_MS: "ms that clocks of honest machines may differ",
  MAX_FUNCTION_MEMORY_BYTES: "bytes of a function's linear memory",
  MODEL_CHUNK_BYTES: "bytes of a chunk of a model file",
  MAX_MODEL_BYTES: "bytes of a model file",
  MAX_MANIFEST_BYTES: "bytes of an encoded model manifest",
  MAX_MODEL_POSITIONS: "positions of a conversation with a model",
  MAX_PROMPT_BYTES: "bytes of a prompt or message",
  MAX_CHAT_MESSAGES: "messages of a conversation",
  MAX_STOP_TEXTS: "texts that end an answer",
  MAX_EMBED_TEXTS: "texts in one task of `embed`",
  MAX_OFFERED_MODELS: "models that an offer names",
  MAX_PUBLISHED_MODELS: "models that a relay publishes",
  MAX_DRAW_LEAVES: "leaves that one draw names",
  MEAN_DRAW_LEAVES: "leaves that one draw is expected to name at most; rates are lowered to that",
  MAX_MODEL_PEERS: "providers that a relay names for a model",
  MAX_CHALLENGE_LANES: "lanes of a challenge",
  MAX_CHALLENGE_MS: "ms that a challenge may take at the provider",
  MAX_PAYOUT_ADDRESS_BYTES: "bytes of a payout address",
  MAX_SEALED_BYTES: "bytes of outputs that a provider keeps under seal for one lease",
  MAX_REFEREE_LEAVES: "outcomes that one referee message names",
  PAYOUT_ADDRESS_WAIT_MS: "ms of log time before a changed payout address is used",
  MIN_RETIRE_AFTER_MS: "ms of log time, the shortest idle time in `assign`",
  MAX_SITES_PER_ACCOUNT: "sites of one account",
  MAX_SITE_DAYS: "days of a site in a list",
  ALERT_SECRET_BYTES: "bytes of a webhook's key",
  MAX_ALERT_URL_BYTES: "bytes of a webhook's or push service's address",
  MAX_ALERTS_PER_ACCOUNT: "alerts of one account",
  MAX_REPLICAS: "owners that stand ready for a deployment",
  MAX_TRIGGERS: "triggers of a deployment",
  MIN_INTERVAL_MS: "ms between two firings of an interval",
  MAX_DEPLOY_PARAMS_BYTES: "bytes of a deployment's parameters",
  MAX_DEPLOYMENTS_PER_ACCOUNT: "deployments of one account",
  MAX_RUN_HOLDERS: "peers besides its initiator that may coordinate a run",
  MAX_INLINE_BYTES: "bytes of a value that is brought although it may stay where it is",
  MAX_STEP_PARENTS: "receipts that one step follows from",
  MAX_RUN_LIFETIME_MS: "ms from registration to the end of a run",
  RUN_KEPT_MS: "ms that receipts and values of a run wait at the relay after its end",
  MAX_PLAN_BYTES: "bytes of a plan that is registered",
  MAX_RUN_PARAMS_BYTES: "bytes of a run's parameters",
  MAX_STEPS_PER_BATCH: "steps in one batch or page",
  MAX_STEP_BATCH_BYTES: "bytes of a batch or page of steps",
  RUN_HEARTBEAT_MS: "ms between two signs of life of a coordinator",
  RUN_SILENCE_MS: "ms of silence after which a coordinator may be replaced",
  MAX_NAME_LIFETIME_MS: "ms that a name counts without being signed anew",
  MAX_NAMES_PER_ACCOUNT: "names of one account",
  MAX_NAME_PEERS: "peers that one name stands for",
  MAX_CAPABILITY_BYTES: "bytes of an encoded capability",
  MAX_EFFECT_REQUEST_BYTES: "bytes of an effect's request",
  MAX_EFFECT_BYTES: "bytes of an effect's answer",
  MAX_EFFECT_MS: "ms that one effect may take",
  MAX_EFFECT_SECRETS: "secrets of one effect",
};

const PROTOCOL_WORDS: Readonly<Record<keyof typeof protocols, string>> = {
  WORK_PROTOCOL: "work stream",
  BLOB_PROTOCOL: "blob stream",
  OFFER_PROTOCOL: "offer stream",
  WATCH_PROTOCOL: "watch stream",
  RUN_PROTOCOL: "run stream",
  ECHO_PROTOCOL: "returns every byte; for measuring",
};

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
  return lines.join("\n");
}

/** Rows in the order of `words`; the compiler sees to it that no exported value lacks its words. */
function valueRows(
  words: Readonly<Record<string, string>>,
  values: Readonly<Record<string, unknown>>,
): readonly (readonly [name: string, value: string, words: string])[] {
  return Object.entries(words).map(([name, word]) => [name, String(values[name]), word]);
}

function limitTable(): string {
  const window = { FRAME_WINDOW_BYTES, FRAME_CREDIT_STEP_BYTES };
  const rows = [
    ...valueRows(LIMIT_WORDS, limits),
    ...valueRows(
      {
        FRAME_WINDOW_BYTES: "bytes of frames sent and not yet read",
        FRAME_CREDIT_STEP_BYTES: "bytes read before credit is returned",
      },
      window,
    ),
  ];
  return table(
    ["limit", "value", "of what"],
    rows.map(([name, value, word]) => [`\`${name}\``, value, word]),
  );
}

function protocolTable(): string {
  const rows = valueRows(PROTOCOL_WORDS, protocols).map(([, id, word]) => [`\`${id}\``, word]);
  return table(["protocol", "what"], rows);
}

function failureTable(): string {
  return table(
    ["code", "name", "fault", "pay", "refund", "what happened"],
    FAILURE_KINDS.map(({ code, name, fault, pay, refund, means }) => [
      String(code),
      `\`${name}\``,
      fault,
      pay,
      refund,
      means,
    ]),
  );
}

const SECTIONS: Readonly<Record<string, () => string>> = {
  limits: limitTable,
  protocols: protocolTable,
  failures: failureTable,
};

/** The document with its generated parts as they have to be. */
export function withGeneratedParts(document: string): string {
  return document.replace(/<!-- generated: (\w+) -->\n[^]*?<!-- end -->/gu, (whole, name: string) =>
    SECTIONS[name] === undefined ? whole : `<!-- generated: ${name} -->\n${SECTIONS[name]()}\n<!-- end -->`,
  );
}

/** The document without the padding that a formatter gives tables, to compare and to search. */
export function unpadded(document: string): string {
  return document
    .replace(/ {2,}/gu, " ")
    .replace(/-{3,}/gu, "---")
    .replace(/-->\n\n/gu, "-->\n")
    .replace(/\n\n<!-- end/gu, "\n<!-- end");
}

if (import.meta.main) {
  writeFileSync(WIRE_DOC, withGeneratedParts(readFileSync(WIRE_DOC, "utf8")));
}
