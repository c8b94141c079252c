import { errorViewJson } from "../../src/protocol/relay-json.ts";
import { isGatewayPath } from "../../src/relay/gateway/gateway-paths.ts";
import type { HttpInput } from "./http-inputs.ts";
import { misfit, type OpenApiDocument } from "./http-operations.ts";
import type { Answer, Reply } from "./http-send.ts";

/** What a reply is counted as: its status, or that there was none. */
export function kindOf(reply: Reply): string {
  return typeof reply === "string" ? reply : String(reply.status);
}

/** What is wrong with a reply, in words; undefined when nothing is. */
export function wrongWith(
  input: HttpInput,
  reply: Reply,
  streams: boolean,
  { components }: OpenApiDocument,
): string | undefined {
  if (reply === "cut")
    return input.manner === "whole" || input.manner === "chunks" ? "was cut off" : undefined;
  if (reply === "open") return streams || input.manner === "partial" ? undefined : "is not answered";
  if (input.manner === "raw")
    return reply.status >= 500 && reply.status !== 501 ? `is answered with ${reply.status}` : undefined;
  const { status } = reply;
  if (status >= 500 && !isForWantOfProviders(reply)) return `is answered with ${status}: ${textOf(reply)}`;
  if (input.method === "HEAD") return reply.body.length > 0 ? "has a body for HEAD" : undefined;
  if (status >= 400) return wrongRefusal(input, reply);
  if (status >= 300 && status !== 304) return `is answered with ${status}`;
  if (status !== 200 || input.method !== input.operation.method) return undefined;
  return wrongAnswer(input, reply, components.schemas);
}

/** As the relay sees it: ".." leads up. */
function pathOf({ path }: HttpInput): string {
  return new URL(`http://x${path}`).pathname;
}

function textOf({ body }: Answer): string {
  return Buffer.from(body).toString().slice(0, 500);
}

function jsonOf({ body }: Answer): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString());
  } catch {
    return undefined;
  }
}

/** 503 is the documented answer where no tab is there to do the work. */
function isForWantOfProviders(answer: Answer): boolean {
  return answer.status === 503 && /"no[-_]provider"/u.test(textOf(answer));
}

/** A refusal has the body that is documented for it: an ErrorView, or what clients of OpenAI's interface read. */
function wrongRefusal(input: HttpInput, answer: Answer): string | undefined {
  const body = jsonOf(answer);
  if (isGatewayPath(pathOf(input))) {
    const error = typeof body === "object" && body !== null && "error" in body ? body.error : undefined;
    const isError =
      typeof error === "object" &&
      error !== null &&
      ["message", "type", "param", "code"].every((name) => name in error);
    if (isError) return undefined;
  }
  try {
    errorViewJson.read(body);
    return undefined;
  } catch {
    return `is refused with ${answer.status} and another body than documented: ${textOf(answer)}`;
  }
}

function wrongAnswer(
  input: HttpInput,
  answer: Answer,
  schemas: OpenApiDocument["components"]["schemas"],
): string | undefined {
  const { operation } = input;
  // A path with a changed part may lead to another operation than it was made from.
  if (!new RegExp(`^${operation.path.replaceAll(/\{\w+\}/gu, "[^/]+")}$`, "u").test(pathOf(input)))
    return undefined;
  const type = String(answer.headers["content-type"] ?? "").split(";")[0] ?? "";
  const given = operation.gives[type];
  if (type === "text/event-stream") return undefined;
  if (given === undefined) return `is answered with ${type}, which the document does not know`;
  if (type !== "application/json" || given.schema === undefined) return undefined;
  const problem = misfit(given.schema, jsonOf(answer), schemas);
  return problem === undefined ? undefined : `is answered otherwise than documented: ${problem}`;
}
