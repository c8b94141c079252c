import { apiKeyMessage, apiKeyRevokeMessage } from "../../protocol/messages/api-key.ts";
import { inclusionSchema } from "../../protocol/messages/receipt.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { RELAY_PATHS } from "../../protocol/relay-api.ts";
import { apiKeyViewsJson } from "../../protocol/relay-json.ts";
import { encode } from "../../protocol/schema.ts";
import { FailureError } from "../../protocol/failure.ts";
import type { Authentication } from "../authenticate.ts";
import type { Books } from "../books.ts";
import type { RelayHttp } from "../http/http-env.ts";
import { message, view } from "../http/message-routes.ts";
import { readMessage } from "../http/read-body.ts";
import { peerParam } from "../http/read-params.ts";
import type { RateLimit } from "../rate-limit.ts";
import type { GatewayDesk } from "./gateway-desk.ts";

export interface ApiKeyRouteParts {
  readonly books: Books;
  readonly authentication: Authentication;
  readonly gateway?: GatewayDesk;
  /** Gives a new account its test credits, or does nothing. */
  readonly welcome: (account: PeerId) => Promise<void>;
  /** Messages of one identity. */
  readonly limit: RateLimit;
}

/** Keys of accounts: made and revoked by messages that the account signs, listed for anybody, as the log is public. */
export function addApiKeyRoutes(http: RelayHttp, parts: ApiKeyRouteParts): void {
  const { books, authentication, gateway, welcome, limit } = parts;
  http.post(RELAY_PATHS.apiKeys, async (c) => {
    const { message: key } = authentication.open(apiKeyMessage, await readMessage(c));
    const { account } = key.body;
    if (key.body.gateway !== gateway?.identity)
      throw new FailureError("unsupported", "api-key: its gateway is not this relay's");
    limit.take(account);
    await welcome(account);
    if (!books.hasAccount(account))
      throw new FailureError("insufficient-funds", "the account has no money here yet");
    return message(c, encode(inclusionSchema, await books.addApiKey(key)));
  });

  http.post(RELAY_PATHS.apiKeyRevocations, async (c) => {
    const { message: revoke } = authentication.open(apiKeyRevokeMessage, await readMessage(c));
    limit.take(revoke.body.account);
    const inclusion = await books.revokeApiKey(revoke);
    gateway?.stop(revoke.body.apiKey);
    return message(c, encode(inclusionSchema, inclusion));
  });

  http.get(RELAY_PATHS.accountApiKeys, (c) =>
    view(c, apiKeyViewsJson.write(books.apiKeys(peerParam("peer", c.req.param("peer"))))),
  );
}
