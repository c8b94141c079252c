import { CAP_PERIODS } from "../../protocol/cap-period.ts";
import { PROPERTIES } from "../../protocol/property.ts";
import { FAILURE_KINDS } from "../../protocol/failure-code.ts";
import { SITE_STATES } from "../../protocol/messages/site.ts";
import { MODEL_ENTRIES } from "../../protocol/model-entry.ts";

/** A part of an OpenAPI document. */
export type Json = Readonly<Record<string, unknown>>;

export const text: Json = { type: "string" };
export const whole: Json = { type: "integer", minimum: 0 };
export const flag: Json = { type: "boolean" };
export const decimal: Json = {
  type: "string",
  pattern: "^(0|[1-9][0-9]{0,19})$",
  description: "64-bit amount",
};
export const cid: Json = { type: "string", description: "CIDv1, raw or dag-cbor, SHA-256, base32" };
export const peer: Json = { type: "string", description: "Ed25519 peer id, 12D3KooW…" };

export function listOf(items: Json): Json {
  return { type: "array", items };
}

/** An object whose properties are all required, but those of `optional`. */
export function object(properties: Readonly<Record<string, Json>>, optional: readonly string[] = []): Json {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: "object", properties, required };
}

const model: Json = object({
  id: { type: "string", description: "name" },
  object: { const: "model" },
  created: { ...whole, description: "seconds since 1970" },
  owned_by: peer,
  cid,
  entry: { enum: MODEL_ENTRIES },
  licence: text,
  size: whole,
  memory: whole,
  context: whole,
  dimensions: whole,
  published: { ...whole, description: "milliseconds since 1970" },
});

const siteId: Json = { type: "string", description: "site- and 20 letters" };
const ppm: Json = { ...whole, maximum: 1_000_000, description: "millionths" };
const site: Json = object({
  site: siteId,
  owner: peer,
  page: text,
  share: ppm,
  state: { enum: SITE_STATES },
  at: whole,
  envelope: { ...text, description: "the owner's message, base64" },
});

/** What answers look like, by name. */
export const schemas: Readonly<Record<string, Json>> = {
  Model: model,
  ModelList: object({ object: { const: "list" }, data: listOf(model) }),
  ModelPeers: object({ peers: listOf(object({ peer, addresses: listOf(text) })) }),
  RelayInfo: object(
    {
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
      gateway: { ...peer, description: "identity of the gateway, where there is one" },
      randomnessKey: { ...text, description: "base64; verifies its randomness (BLS12-381)" },
      now: { ...whole, description: "the relay's clock, milliseconds since 1970" },
    },
    ["gateway", "randomnessKey"],
  ),
  ApiKey: object(
    {
      apiKey: cid,
      label: text,
      cap: decimal,
      per: { enum: CAP_PERIODS },
      used: decimal,
      created: whole,
      expires: whole,
      revoked: whole,
    },
    ["expires", "revoked"],
  ),
  PayoutAddress: object({
    account: peer,
    payoutAddress: cid,
    address: text,
    since: whole,
    usableFrom: whole,
    entryIndex: whole,
  }),
  Site: site,
  SiteContributions: object({
    site,
    days: listOf(
      object({
        start: whole,
        tabs: whole,
        tasks: whole,
        fuel: decimal,
        earned: decimal,
        toOwner: decimal,
        toVisitors: decimal,
      }),
    ),
  }),
  Assignment: object(
    {
      account: peer,
      assignment: cid,
      payee: peer,
      ppm,
      site: siteId,
      retireAfterMs: whole,
      at: whole,
      since: whole,
      entryIndex: whole,
      earned: decimal,
      passed: decimal,
    },
    ["site", "retireAfterMs"],
  ),
  Transfer: object(
    { entryIndex: whole, time: whole, from: peer, to: peer, amount: decimal, cause: whole, site: siteId },
    ["site"],
  ),
  Payout: object(
    {
      batch: cid,
      number: whole,
      state: { enum: ["prepared", "paid", "cancelled"] },
      amount: decimal,
      address: text,
      time: whole,
      entryIndex: whole,
      reference: text,
    },
    ["reference"],
  ),
  AccountView: object({
    peer,
    asset: text,
    available: decimal,
    escrowed: decimal,
    pending: decimal,
    held: decimal,
    bond: decimal,
    earned: decimal,
    slashed: decimal,
    paid: decimal,
    payingOut: decimal,
    earnedToday: decimal,
    logSize: whole,
  }),
  ReceiptView: object(
    {
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
      held: decimal,
      forfeited: decimal,
    },
    ["held", "forfeited"],
  ),
  HistoryPage: object(
    { receipts: listOf({ $ref: "#/components/schemas/ReceiptView" }), next: whole, total: whole },
    ["next", "total"],
  ),
  EarningsShare: object({
    name: text,
    amount: decimal,
    tasks: whole,
    points: listOf({ $ref: "#/components/schemas/EarningsPoint" }),
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
        drawn: whole,
        judged: whole,
        forfeited: decimal,
      }),
    ),
  }),
  StandingView: object(
    {
      peer,
      asset: text,
      pending: decimal,
      held: decimal,
      bond: decimal,
      bondWanted: decimal,
      audited: decimal,
      experience: decimal,
      matched: whole,
      missing: whole,
      mismatched: whole,
      openLeases: whole,
      nextAuditPpm: whole,
      retiring: whole,
      barred: text,
      reasons: listOf(object({ rule: text, value: text, means: text, advice: text })),
      capability: listOf(
        object(
          {
            property: { enum: PROPERTIES },
            value: whole,
            unit: { enum: ["fuel/s", "bytes", "ops/s", "bytes/s"] },
            state: { enum: ["self-reported", "measured", "cross-checked", "contradicted"] },
            measuredAt: { ...whole, description: "milliseconds since 1970" },
            isSoftware: flag,
          },
          ["measuredAt"],
        ),
      ),
      logSize: whole,
    },
    ["nextAuditPpm", "retiring", "barred", "capability"],
  ),
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
