import { rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import type { Logger } from "pino";
import {
  jsonAmount,
  jsonOneOf,
  jsonPeer,
  jsonRecord,
  type JsonShape,
  jsonText,
  optionalJson,
} from "../protocol/json-shape.ts";
import type { RelayKeys } from "../protocol/messages/entry.ts";
import { saveBackup } from "./backup.ts";
import { obeyPayout, PAYOUT_KINDS, type PayoutRequest } from "./control-payouts.ts";
import { type Deniable, parseDeniable } from "./denials.ts";
import { CONTROL_TIMEOUT_MS, LONGEST_SOCKET_PATH, MAX_CONTROL_LENGTH } from "./limits.ts";
import type { RelayData } from "./open-data.ts";

/**
 * The operator's own door: a Unix socket in the data folder, which only the folder's owner can open. What goes through
 * it needs the books, and those belong to the one process that runs. One line of JSON each way.
 */

/** What the operator asks. Fields that a kind does not use are empty. */
export interface ControlRequest extends Omit<PayoutRequest, "kind"> {
  readonly kind: "deny" | "undeny" | "denials" | "rotate-key" | "backup" | "policy" | PayoutRequest["kind"];
  /** CID or peer id, to deny or undeny. */
  readonly what?: string;
  readonly reason?: string;
  readonly purpose?: keyof RelayKeys;
  /** Folder of a backup, absolute. */
  readonly to?: string;
}

const controlRequestJson: JsonShape<ControlRequest> = jsonRecord<ControlRequest>({
  kind: jsonOneOf(["deny", "undeny", "denials", "rotate-key", "backup", "policy", ...PAYOUT_KINDS]),
  what: optionalJson(jsonText(128)),
  reason: optionalJson(jsonText(256)),
  purpose: optionalJson(jsonOneOf(["log", "lease", "draw"])),
  to: optionalJson(jsonText(4_096)),
  account: optionalJson(jsonPeer),
  amount: optionalJson(jsonAmount),
  reference: optionalJson(jsonText(256)),
  batch: optionalJson(jsonText(128)),
});

/** Told what was denied just now, to end what it is doing. */
export type OnDenied = (denied: Deniable) => Promise<void>;

/** Does what the operator asks, in the process that holds the data. @returns what JSON can carry. @throws Error in plain words. */
export async function obey(data: RelayData, asked: ControlRequest, onDenied: OnDenied): Promise<unknown> {
  switch (asked.kind) {
    case "deny": {
      const denied = parseDeniable(asked.what ?? "");
      await data.books.deny(denied.kind, denied.value, asked.reason ?? "");
      await onDenied(denied);
      return true;
    }
    case "undeny": {
      const { kind, value } = parseDeniable(asked.what ?? "");
      const was = data.books.denied(kind, value) !== undefined;
      if (was) await data.books.undeny(kind, value);
      return was;
    }
    case "denials":
      return data.books.denials();
    case "rotate-key": {
      const { purpose } = asked;
      if (purpose === undefined) throw new RangeError("which key? log, lease or draw");
      await data.rotateKey(purpose);
      return data.books.keys()[purpose];
    }
    case "backup":
      await saveBackup(data, asked.to ?? "");
      return true;
    case "policy": {
      const { policy } = data.books.audits;
      return policy === undefined ? null : { ...policy, leaseFee: Number(policy.leaseFee) };
    }
    case "credit":
    case "payout-prepare":
    case "payout-confirm":
    case "payout-cancel":
    case "payout-show":
    case "payout-list":
      return obeyPayout(data.books, { ...asked, kind: asked.kind });
    default:
      asked.kind satisfies never;
      throw new RangeError("no such request");
  }
}

function socketPath(folder: string): string {
  return `${folder}/control.sock`;
}

/** Opens the door of a relay that runs. @returns closes it. A path too long for a socket is passed over with a warning. */
export async function openControl(
  data: RelayData,
  log: Logger,
  onDenied: OnDenied,
): Promise<() => Promise<void>> {
  const path = socketPath(data.paths?.folder ?? "");
  if (data.paths === undefined || Buffer.byteLength(path) > LONGEST_SOCKET_PATH) {
    log.warn({ path }, "no control socket: the data folder's path is too long");
    return () => Promise.resolve();
  }
  // The folder's lock is held, so whoever left a socket here is gone.
  rmSync(path, { force: true });
  const server = createServer((socket) => void serve(socket, data, log, onDenied));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  return () => new Promise((resolve) => server.close(() => resolve()));
}

async function serve(socket: Socket, data: RelayData, log: Logger, onDenied: OnDenied): Promise<void> {
  try {
    const asked = controlRequestJson.read(JSON.parse(await readLine(socket)));
    const { kind, what, purpose, account, amount, batch } = asked;
    log.info({ kind, what, purpose, account, amount: amount?.toString(), batch }, "operator asks");
    const answer = await obey(data, asked, onDenied);
    socket.end(`${JSON.stringify({ answer })}\n`);
  } catch (error) {
    socket.end(`${JSON.stringify({ problem: error instanceof Error ? error.message : "failed" })}\n`);
  }
}

async function readLine(socket: Socket): Promise<string> {
  socket.setEncoding("utf8");
  socket.setTimeout(CONTROL_TIMEOUT_MS, () => socket.destroy());
  return new Promise<string>((resolve, reject) => {
    let text = "";
    socket.on("data", (chunk) => {
      text += String(chunk);
      if (text.length > MAX_CONTROL_LENGTH) socket.destroy();
      else if (text.endsWith("\n")) resolve(text);
    });
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("the relay ended the conversation")));
  });
}

/**
 * Asks the relay that runs on a data folder.
 * @returns its answer, or `undefined` when none runs there.
 * @throws Error with its refusal in plain words.
 */
export async function askRunning(
  folder: string,
  asked: ControlRequest,
): Promise<{ readonly answer: unknown } | undefined> {
  const socket = await tryConnect(socketPath(folder));
  if (socket === undefined) return undefined;
  socket.write(`${JSON.stringify(controlRequestJson.write(asked))}\n`);
  const reply: unknown = JSON.parse(await readLine(socket));
  socket.destroy();
  if (typeof reply !== "object" || reply === null) throw new Error("the relay does not make sense");
  if ("problem" in reply) throw new Error(String(reply.problem));
  return { answer: "answer" in reply ? reply.answer : undefined };
}

async function tryConnect(path: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path, () => resolve(socket));
    socket.once("error", () => resolve(undefined));
  });
}
