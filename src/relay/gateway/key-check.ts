import { hash } from "node:crypto";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { ApiKeyStanding, Books } from "../books.ts";
import { requireServed } from "../denials.ts";
import { GatewayError } from "./gateway-error.ts";

function unauthorised(message: string): GatewayError {
  return new GatewayError(401, "authentication_error", message, { code: "invalid_api_key" });
}

/**
 * Whose money a request may spend. The key is a secret of its owner: it is neither kept nor repeated.
 * @param header the Authorization header. @param gateway identity of this gateway.
 * @throws GatewayError 401. FailureError `denied`.
 */
export function requireKey(
  books: Pick<Books, "apiKeyOf" | "denied">,
  gateway: PeerId,
  header: string | undefined,
): ApiKeyStanding {
  const [, text] = /^Bearer +(\S+)$/iu.exec(header ?? "") ?? [];
  if (text === undefined)
    throw unauthorised("No API key was given: it goes into the header, as in 'Authorization: Bearer KEY'.");
  const key = books.apiKeyOf(hash("sha256", text, "buffer"));
  if (key === undefined) throw unauthorised("The API key is not known here.");
  if (key.terms.gateway !== gateway) throw unauthorised("The API key was made for another gateway.");
  if (key.state === "revoked") throw unauthorised("The API key was revoked.");
  if (key.state === "expired") throw unauthorised("The API key's time has passed.");
  requireServed(books, key.terms.account, gateway);
  return key;
}

/** Micro-credits that a request may set aside. @throws GatewayError 429 beyond the key's cap, 402 where the account is empty. */
export function requireMoney(books: Pick<Books, "account">, key: ApiKeyStanding): bigint {
  const { available } = books.account(key.terms.account);
  if (key.left > 0n && available > 0n) return key.left < available ? key.left : available;
  throw noMoney(books, key, "");
}

/** Says whether it is the key or the account that has not enough. @param detail what was wanted, if it is known */
export function noMoney(books: Pick<Books, "account">, key: ApiKeyStanding, detail: string): GatewayError {
  const { available } = books.account(key.terms.account);
  const { cap, per } = key.terms;
  const code = { code: "insufficient_quota" };
  if (key.left <= available)
    return new GatewayError(
      429,
      "insufficient_quota",
      `The API key has ${key.left} of ${cap} micro-credits left ${per === "day" ? "today (UTC)" : "in all"}. ${detail}`.trim(),
      code,
    );
  const message = `The account has ${available} micro-credits. ${detail}`.trim();
  return new GatewayError(402, "insufficient_quota", message, code);
}
