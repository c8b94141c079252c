import type { Logger } from "pino";
import type { RelayContext, RelayHttp } from "../http/http-env.ts";
import { readMessage } from "../http/read-body.ts";
import type { RelayMetrics } from "../metrics.ts";
import { readChatRequest, type TextOrder } from "./chat-request.ts";
import { readCompletionRequest } from "./completion-request.ts";
import { readEmbeddingRequest } from "./embedding-request.ts";
import { GATEWAY_PATHS, JOB_HEADER, RECEIPT_HEADER } from "./gateway-paths.ts";
import type { Caller, GatewayDesk } from "./gateway-desk.ts";
import { asGatewayError, errorBody, GatewayError } from "./gateway-error.ts";
import { MAX_REQUEST_BYTES } from "./limits.ts";
import { parseBody } from "./request-fields.ts";
import { CHAT, COMPLETION, type TextForm } from "./text-forms.ts";
import { begun, eventBody, textEvents } from "./text-stream.ts";
import { vectorAnswer } from "./vector-answer.ts";

export interface GatewayRouteParts {
  /** Absent where the relay has no gateway. */
  readonly gateway?: GatewayDesk;
  readonly log: Logger;
  readonly metrics: RelayMetrics;
  readonly nowMs: () => number;
}

/** Refuses as clients of OpenAI's interface expect, and leaves one line in the log and one count. */
export function refuseGateway(
  c: RelayContext,
  error: unknown,
  { log, metrics }: Pick<GatewayRouteParts, "log" | "metrics">,
): Response {
  const refusal = asGatewayError(error);
  const { status, code, retryAfterS, message } = refusal;
  metrics.refused(code ?? "gateway");
  const line = { address: c.get("address"), method: c.req.method, path: c.req.path, status, code };
  if (status === 500) log.error({ ...line, err: refusal.cause }, "request failed");
  else log[status === 429 ? "debug" : "info"]({ ...line, detail: message }, "request refused");
  c.header("Cache-Control", "no-store");
  if (retryAfterS === undefined) c.header("x-should-retry", "false");
  else c.header("Retry-After", String(retryAfterS));
  return c.json(errorBody(refusal), status);
}

type Answer = (c: RelayContext, desk: GatewayDesk, caller: Caller, body: unknown) => Promise<Response>;

function json(c: RelayContext, body: object): Response {
  c.header("Cache-Control", "no-store");
  return c.json(body);
}

async function answerVectors(
  c: RelayContext,
  desk: GatewayDesk,
  caller: Caller,
  body: unknown,
): Promise<Response> {
  const order = readEmbeddingRequest(body);
  const model = desk.modelFor(order.model, "embed");
  const vectors = await desk.embed(caller, model, order);
  c.header(JOB_HEADER, vectors.job);
  c.header(RECEIPT_HEADER, vectors.receipts.join(", "));
  return json(c, vectorAnswer(vectors, model.name, order.encoding));
}

function textAnswer(read: (body: unknown) => TextOrder, form: TextForm, nowMs: () => number): Answer {
  return async (c, desk, caller, body) => {
    const order = read(body);
    const model = desk.modelFor(order.model, "generate");
    const text = await begun(await desk.generate(caller, model, order));
    const { job, result: ended } = text.text;
    const head = { job, created: Math.floor(nowMs() / 1_000), model: model.name, modelCid: model.cid };
    c.header(JOB_HEADER, job);
    if (order.stream) {
      c.header("Content-Type", "text/event-stream; charset=utf-8");
      c.header("Cache-Control", "no-store");
      c.header("X-Accel-Buffering", "no");
      return c.body(eventBody(textEvents(text, head, form, order.includeUsage), () => caller.leave()));
    }
    let whole = text.first ?? "";
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { value, done } = await text.pieces.next();
      if (done === true) break;
      whole += value;
    }
    const result = await ended;
    c.header(RECEIPT_HEADER, result.receipts.join(", "));
    return json(c, form.whole(head, whole, result));
  };
}

/** An answer that is read as it comes frees its place itself, at its end. */
function isStream(response: Response): boolean {
  return response.headers.get("Content-Type")?.startsWith("text/event-stream") === true;
}

async function answer(c: RelayContext, desk: GatewayDesk, give: Answer): Promise<Response> {
  const key = desk.check(c.req.header("authorization"));
  const body = parseBody(await readMessage(c, MAX_REQUEST_BYTES));
  const caller = desk.enter(key, c.req.raw.signal);
  let streams = false;
  try {
    const response = await give(c, desk, caller, body);
    streams = isStream(response);
    return response;
  } catch (error) {
    throw desk.explained(key, error);
  } finally {
    if (!streams) caller.leave();
  }
}

function requireGateway(gateway: GatewayDesk | undefined): GatewayDesk {
  if (gateway !== undefined) return gateway;
  throw new GatewayError(404, "invalid_request_error", "This relay has no gateway.", { code: "no_gateway" });
}

/** OpenAI's interface: texts and vectors computed by tabs, for whoever has a key. */
export function addGatewayRoutes(http: RelayHttp, parts: GatewayRouteParts): void {
  const { gateway, nowMs } = parts;
  const routes: readonly (readonly [path: string, give: Answer])[] = [
    [GATEWAY_PATHS.embeddings, answerVectors],
    [GATEWAY_PATHS.chat, textAnswer(readChatRequest, CHAT, nowMs)],
    [GATEWAY_PATHS.completions, textAnswer(readCompletionRequest, COMPLETION, nowMs)],
  ];
  for (const [path, give] of routes) {
    http.post(path, async (c) => {
      try {
        return await answer(c, requireGateway(gateway), give);
      } catch (error) {
        return refuseGateway(c, error, parts);
      }
    });
    http.all(path, (c) => {
      const code = "method_not_allowed";
      c.header("Allow", "POST");
      return refuseGateway(
        c,
        new GatewayError(405, "invalid_request_error", `${path} takes POST.`, { code }),
        parts,
      );
    });
  }
}
