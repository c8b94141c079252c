import { InvalidArgumentError } from "commander";
import { isCid } from "../../protocol/cid.ts";
import { isPeerId } from "../../protocol/peer-id.ts";
import { whyNoTimes } from "../../schedule/clock-times.ts";
import { type MissedPolicy, type TriggerTerms, webhookSecret } from "../../sdk/index.ts";

/** A trigger as the command line has it; what becomes of missed times, and the zone, are flags of their own. */
export type TriggerFlag = Omit<TriggerTerms, "id" | "missed">;

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** "5m", or five or six fields of cron. @throws InvalidArgumentError */
export function parseEvery(text: string): TriggerFlag {
  const [, count, unit = ""] = /^(\d{1,6})([smhd])$/u.exec(text.trim()) ?? [];
  if (count !== undefined && Number(count) > 0)
    return { kind: "interval", everyMs: Number(count) * (UNITS[unit] ?? 0) };
  const terms = { kind: "cron", cron: text.trim(), zone: "UTC" } as const;
  const why = whyNoTimes({ ...terms, id: "t", missed: "skip" });
  if (why === undefined) return terms;
  throw new InvalidArgumentError(
    `It takes a time such as 5m, or cron such as "*/5 * * * *". This one: ${why}`,
  );
}

/** "webhook", "peer", "peer:12D3Koo…", "cid:NAME", "run:PLAN" or "log:CHAIN:ADDRESS[:TOPIC]". @throws InvalidArgumentError */
export function parseOn(text: string): TriggerFlag {
  const [kind, ...rest] = text.split(":");
  const [what = ""] = rest;
  if (kind === "webhook" && rest.length === 0) return { kind, secret: webhookSecret() };
  if (kind === "peer" && rest.length === 0) return { kind };
  if (kind === "peer" && isPeerId(what)) return { kind, peer: what };
  if (kind === "cid" && what !== "") return { kind: "name", name: what };
  if (kind === "run" && isCid(what)) return { kind, plan: what };
  const log = /^log:(?<chain>[a-z0-9-]+:[^:]+):(?<address>0x[0-9a-f]{40})(?::(?<topic>0x[0-9a-f]{64}))?$/iu;
  const { chain, address, topic } = log.exec(text)?.groups ?? {};
  if (chain !== undefined && address !== undefined)
    return {
      kind: "log",
      chain,
      address: address.toLowerCase(),
      ...(topic === undefined ? {} : { topic: topic.toLowerCase() }),
    };
  throw new InvalidArgumentError(
    "It takes webhook, peer, peer:ID, cid:NAME, run:PLAN, or log:CHAIN:ADDRESS such as log:eip155:1:0x….",
  );
}

/** Each with a name of its own: its kind, and a number from the second on. */
export function triggersOf(
  flags: readonly TriggerFlag[],
  missed: MissedPolicy,
  zone: string,
): readonly TriggerTerms[] {
  const counts = new Map<string, number>();
  return flags.map((flag) => {
    const count = (counts.get(flag.kind) ?? 0) + 1;
    counts.set(flag.kind, count);
    const id = count === 1 ? flag.kind : `${flag.kind}-${count}`;
    return Object.assign({ id, missed }, flag, flag.kind === "cron" ? { zone } : {});
  });
}

/** @throws InvalidArgumentError */
export function parseZone(text: string): string {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: text }).resolvedOptions().timeZone;
  } catch {
    throw new InvalidArgumentError("It takes a time zone, such as Europe/Berlin or UTC.");
  }
}
