import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import {
  type AlertTrial,
  alertTrialJson,
  type AlertView,
  alertViewJson,
  alertViewsJson,
} from "../../protocol/alert-view.ts";
import { seal } from "../../protocol/envelope.ts";
import type { Cid } from "../../protocol/cid.ts";
import {
  type Alert,
  alertMessage,
  type AlertRequest,
  alertRequestMessage,
} from "../../protocol/messages/alert.ts";
import { microCredits } from "../../protocol/units.ts";
import type { Signer } from "../../protocol/signature.ts";
import { HEAD } from "../books/books-scene.contract.ts";
import { post, refusalOf, type RelayScene } from "../relay-scene.contract.ts";

/** A web server that is called by alerts, and accounts that ask for them. For tests. */

/** One call as it arrived. */
export interface ArrivedCall {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface HookServer {
  readonly url: string;
  readonly calls: ArrivedCall[];
  /** What it answers from here on: a status, or nothing at all. */
  answer: number | "silence";
  close(): Promise<void>;
}

/** Listens on this machine. */
export async function openHookServer(): Promise<HookServer> {
  const calls: ArrivedCall[] = [];
  const hook: { answer: HookServer["answer"] } = { answer: 204 };
  const server = createServer((request, response) => {
    void take(request, response);
  });
  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    calls.push({ path: request.url ?? "", headers: request.headers, body: await buffer(request) });
    if (hook.answer === "silence") return;
    response.writeHead(hook.answer, { location: "/elsewhere" });
    response.end("thank you");
  }
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("it does not listen");
  return Object.assign(hook, {
    url: `http://127.0.0.1:${address.port}/hook`,
    calls,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  });
}

export const SECRET: Uint8Array = new Uint8Array(32).fill(7);

/** What a webhook that follows Standard Webhooks makes of a call: its body, if the signature holds. */
export function opened({ headers, body }: ArrivedCall): Record<string, unknown> | undefined {
  const [id, time] = [headers["webhook-id"], headers["webhook-timestamp"]];
  const mac = createHmac("sha256", SECRET)
    .update(`${String(id)}.${String(time)}.`)
    .update(body)
    .digest();
  const given = Buffer.from(String(headers["webhook-signature"]).replace(/^v1,/u, ""), "base64");
  if (given.length !== mac.length || !timingSafeEqual(given, mac)) return undefined;
  return JSON.parse(body.toString());
}

export function typesOf({ calls }: HookServer): readonly unknown[] {
  return calls.map((call) => opened(call)?.["type"]);
}

export function webhookAlert(
  scene: RelayScene,
  account: Signer,
  url: string,
  changes: Partial<Alert> = {},
): Alert {
  return {
    ...HEAD,
    account: account.key,
    webhook: { url, secret: SECRET },
    events: ["audit-failed", "payout", "provider-stopped"],
    issuedAt: scene.scene.clock.now,
    ...changes,
  };
}

/** About a balance below so many micro-credits. */
export function lowBalance(below: number): Partial<Alert> {
  return { events: ["low-balance"], below: microCredits(below) };
}

/** The relay's answer, or its refusal as "code: detail". */
export async function addAlert(
  scene: RelayScene,
  alert: Alert,
  signers: readonly Signer[],
): Promise<AlertView | string> {
  const response = await post(scene, "/v1/alerts", await seal(alertMessage, alert, signers));
  return response.ok ? alertViewJson.read(await response.json()) : refusalOf(response);
}

let asked = 0;

async function askAlerts(
  scene: RelayScene,
  account: Signer,
  changes: Pick<AlertRequest, "does"> & Partial<AlertRequest>,
  signers: readonly Signer[],
): Promise<Response> {
  asked += 1;
  const issuedAt = scene.scene.clock.now + asked;
  const body: AlertRequest = { ...HEAD, account: account.key, issuedAt, ...changes };
  return post(scene, "/v1/alerts/requests", await seal(alertRequestMessage, body, signers));
}

export async function listAlerts(
  scene: RelayScene,
  account: Signer,
  signers: readonly Signer[] = [account],
  changes: Partial<AlertRequest> = {},
): Promise<readonly AlertView[] | string> {
  const response = await askAlerts(scene, account, { does: "list", ...changes }, signers);
  return response.ok ? alertViewsJson.read(await response.json()) : refusalOf(response);
}

export async function tryAlert(scene: RelayScene, account: Signer, alert: Cid): Promise<AlertTrial | string> {
  const response = await askAlerts(scene, account, { does: "test", alert }, [account]);
  return response.ok ? alertTrialJson.read(await response.json()) : refusalOf(response);
}

/** @returns the refusal, or nothing */
export async function removeAlert(scene: RelayScene, account: Signer, alert: Cid): Promise<string> {
  const response = await askAlerts(scene, account, { does: "remove", alert }, [account]);
  return response.ok ? "" : refusalOf(response);
}

export function idOf(answer: AlertView | string): Cid {
  if (typeof answer === "string") throw new Error(answer);
  return answer.alert;
}
