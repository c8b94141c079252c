import type { AuditPolicy } from "../protocol/audit-policy.ts";

/** Who recomputes a drawn leaf: the relay, a provider of another owner, or nobody, because the outcome is known already. */
export type AuditorKind = "relay" | "peer" | "known";

/** @param lotPpm a lot in [0, 10⁶) that nobody can foresee. */
export function auditorKind(
  { peerPpm, knownPpm }: Pick<AuditPolicy, "peerPpm" | "knownPpm">,
  lotPpm: number,
): AuditorKind {
  if (lotPpm < peerPpm) return "peer";
  return lotPpm < peerPpm + knownPpm ? "known" : "relay";
}
