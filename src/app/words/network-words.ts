import type { LatencyView, MeshView, NetworkView, WorkSpan } from "../../protocol/network-view.ts";
import { type MicroCredits, microCredits } from "../../protocol/units.ts";
import { counted } from "./quantities.ts";

const GFUEL = 1_000_000_000n;

/** "0.8 ms", "12 ms", "1.2 s", "2 min": microseconds as a person reads them. */
export function latencyText(us: number): string {
  const ms = us / 1_000;
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  const seconds = ms / 1_000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  return seconds < 99.5 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}

/** What each latency is, and how it was measured. */
export function latencyWords(what: LatencyView["what"]): { readonly name: string; readonly how: string } {
  switch (what) {
    case "line":
      return { name: "Line", how: "From the relay’s ping to a provider’s answer." };
    case "first-receipt":
      return {
        name: "First results",
        how: "From the lease to the first receipt that both sides signed: finding each other, loading the function and the first results.",
      };
    case "task":
      return {
        name: "One task",
        how: "A lease’s time up to its last receipt, shared among its tasks. With several threads at work it is shorter than a task.",
      };
    default:
      return what satisfies never;
  }
}

export type PriceBy = "fuel" | "task";

/** Credits for 10^9 fuel, or for a task, rounded to the micro-credit; nothing where there was no such work. */
export function priceOf({ paid, fuel, tasks }: WorkSpan, by: PriceBy): MicroCredits | undefined {
  const divisor = by === "fuel" ? fuel : BigInt(tasks);
  if (divisor === 0n) return undefined;
  const times = by === "fuel" ? GFUEL : 1n;
  return microCredits((paid * times + divisor / 2n) / divisor);
}

/** All spans as one. */
export function sumOf(spans: readonly WorkSpan[]): Omit<WorkSpan, "start"> {
  return {
    tasks: spans.reduce((sum, { tasks }) => sum + tasks, 0),
    fuel: spans.reduce((sum, { fuel }) => sum + fuel, 0n),
    paid: microCredits(spans.reduce((sum, { paid }) => sum + paid, 0n)),
  };
}

/** By what the verified proved themselves, and who is not counted. */
export function verifiedWords({ providers, verifiedMs }: NetworkView): string {
  const { verified, byReceipt, byChallenge, connected } = providers;
  const span = `${Math.round(verifiedMs / 60_000)} minutes`;
  const others = connected - verified;
  const rest =
    others === 0 ? "" : ` ${counted(others, "other")} connected without a proof in that time: not counted.`;
  if (verified === 0) return `Nobody proved themselves in the last ${span}.${rest}`;
  const ways = [
    ...(byReceipt === 0 ? [] : [`${byReceipt} by a receipt that both sides signed`]),
    ...(byChallenge === 0 ? [] : [`${byChallenge} by the right answer to a challenge`]),
  ];
  return `In the last ${span}: ${ways.join(", ")}.${rest}`;
}

/** The picture of the mesh in one sentence or two. */
export function meshWords({ peers, links, left }: MeshView): string {
  const computing = peers.filter(({ does }) => does === "computes").length;
  const asking = peers.filter(({ does }) => does === "asks").length;
  const over = (kind: string): number => links.filter((link) => link.over === kind).length;
  const who = `The relay, ${counted(computing, "provider")} and ${counted(asking, "other peer")}.`;
  const between = over("webrtc") + over("circuit");
  const how =
    between === 0
      ? "No work passes between them right now."
      : `Work passes over ${counted(over("webrtc"), "direct connection")} and ${over("circuit")} through the relay.`;
  return `${who} ${how}${left === 0 ? "" : ` ${counted(left, "peer")} more than fit in.`}`;
}
