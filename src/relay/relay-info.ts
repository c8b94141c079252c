import { readFileSync } from "node:fs";
import { isTestAsset } from "../protocol/header.ts";
import { WIRE_VERSION } from "../protocol/limits.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { RelayInfo } from "../protocol/relay-api.ts";
import type { Books } from "./books.ts";
import type { RelayConfig } from "./config.ts";
import { ACCEPTED_PROFILES } from "./jobs/check-job.ts";

/** Version of this program, as package.json says. */
const RELAY_VERSION: string = readVersion();

function readVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const parsed: unknown = JSON.parse(text);
  const version: unknown =
    typeof parsed === "object" && parsed !== null ? Reflect.get(parsed, "version") : "";
  return typeof version === "string" ? version : "unknown";
}

/** What a client must know before anything else; keys and time as they are now. @param nowMs milliseconds since 1970 */
export function relayInfo(
  config: RelayConfig,
  books: Books,
  peer: PeerId,
  addresses: readonly string[],
  nowMs: number,
  gateway?: PeerId,
): RelayInfo {
  const audit = books.audits.policy;
  return {
    name: config.name,
    version: RELAY_VERSION,
    origin: books.origin,
    asset: books.asset,
    testMoney: isTestAsset(books.asset),
    wireVersions: [WIRE_VERSION],
    profiles: ACCEPTED_PROFILES,
    keys: books.keys(),
    tariff: config.tariff,
    policy: books.policy,
    ...(audit === undefined ? {} : { auditVersion: audit.version }),
    peer,
    addresses,
    iceServers: config.iceServers,
    ...(gateway === undefined ? {} : { gateway }),
    now: nowMs,
  };
}
