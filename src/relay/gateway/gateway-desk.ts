import { isCid } from "../../protocol/cid.ts";
import { failureCode, type FailureName } from "../../protocol/failure-code.ts";
import { FailureError } from "../../protocol/failure.ts";
import type { ModelEntry } from "../../protocol/model-entry.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { PublishedModel } from "../../protocol/relay-api.ts";
import type { ApiKeyStanding, Books } from "../books.ts";
import type { RateLimit } from "../rate-limit.ts";
import type { TextOrder } from "./chat-request.ts";
import type { EmbeddingOrder } from "./embedding-request.ts";
import { GatewayError, invalidRequest } from "./gateway-error.ts";
import { GATEWAY_PATHS } from "./gateway-paths.ts";
import type { GatewayOrder, GatewayRequester, GatewayText, GatewayVectors } from "./gateway-requester.ts";
import { noMoney, requireKey, requireMoney } from "./key-check.ts";
import { type Place, RequestsUnderWay } from "./requests-under-way.ts";

export interface GatewayParts {
  readonly books: Books;
  readonly requester: GatewayRequester;
  /** Its identity: what api-keys authorise. */
  readonly identity: PeerId;
  /** A published model by its name or CID; none that the operator denies. */
  readonly model: (named: string) => PublishedModel | undefined;
  /** Requests of one key. */
  readonly limit: RateLimit;
}

/** Somebody with a key in force, for the time of one request. */
export interface Caller extends Place {
  readonly key: ApiKeyStanding;
}

const ROUTES: Readonly<Record<ModelEntry, string>> = {
  generate: GATEWAY_PATHS.chat,
  embed: GATEWAY_PATHS.embeddings,
};

function isFailure(error: unknown, name: FailureName): error is FailureError {
  return error instanceof FailureError && error.code === failureCode(name);
}

/** Takes requests of people with keys: who may, which model, who pays; the requester does the rest. */
export class GatewayDesk {
  readonly #parts: GatewayParts;
  readonly #requests = new RequestsUnderWay();

  constructor(parts: GatewayParts) {
    this.#parts = parts;
  }

  get identity(): PeerId {
    return this.#parts.identity;
  }

  /** @param header Authorization. @throws GatewayError 401; FailureError `denied`, `rate-limited` */
  check(header: string | undefined): ApiKeyStanding {
    const { books, identity, limit } = this.#parts;
    const key = requireKey(books, identity, header);
    limit.take(key.id);
    return key;
  }

  /** @param gone aborted when the client has gone. @throws GatewayError 429, 503 */
  enter(key: ApiKeyStanding, gone: AbortSignal): Caller {
    return { key, ...this.#requests.enter(key.id, gone) };
  }

  /** Cancels what is under way under a key that was revoked. */
  stop(apiKey: ApiKeyStanding["id"]): void {
    this.#requests.stop(apiKey);
  }

  /** @throws GatewayError 404; 400 where the model does something else */
  modelFor(named: string, entry: ModelEntry): PublishedModel {
    const model = this.#parts.model(named);
    if (model === undefined)
      throw new GatewayError(
        404,
        "invalid_request_error",
        `There is no model '${named.slice(0, 128)}' here. GET /v1/models lists those there are${isCid(named) ? "" : ", and case counts"}.`,
        { param: "model", code: "model_not_found" },
      );
    if (model.entry !== entry)
      throw invalidRequest(
        "model",
        `'${model.name}' is not for this. It is used by ${ROUTES[model.entry]}.`,
        "unsupported_value",
      );
    return model;
  }

  async generate(caller: Caller, model: PublishedModel, { request }: TextOrder): Promise<GatewayText> {
    return this.#parts.requester.generate(this.#order(caller, model), request, caller.signal);
  }

  async embed(
    caller: Caller,
    model: PublishedModel,
    { texts, dimensions }: EmbeddingOrder,
  ): Promise<GatewayVectors> {
    if (dimensions !== undefined && dimensions !== model.dimensions)
      throw invalidRequest(
        "dimensions",
        `'${model.name}' has ${model.dimensions} dimensions. A part of such a vector means nothing, so they are not cut.`,
        "unsupported_value",
      );
    return this.#parts.requester.embed(this.#order(caller, model), texts, caller.signal);
  }

  /** @throws GatewayError 402, 429 */
  #order({ key }: Caller, model: PublishedModel): GatewayOrder {
    const available = requireMoney(this.#parts.books, key);
    return { model, payer: key.terms.account, apiKey: key.id, available };
  }

  /** Of the work itself: a lack of money, as seen from the key; a text beyond what the model takes in; a slow provider. */
  explained(key: ApiKeyStanding, error: unknown): unknown {
    const { books } = this.#parts;
    if (isFailure(error, "insufficient-funds"))
      return noMoney(books, books.apiKeyOf(key.terms.hash) ?? key, error.detail);
    if (isFailure(error, "too-large"))
      return new GatewayError(400, "invalid_request_error", error.detail, {
        code: "context_length_exceeded",
      });
    if (isFailure(error, "timed-out"))
      return new GatewayError(503, "server_error", error.detail, { code: "timed_out", retryAfterS: 1 });
    return error;
  }
}
