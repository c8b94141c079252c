import { expect, it } from "vitest";
import { DEFAULT_AUDIT_POLICY as POLICY, PPM } from "../protocol/audit-policy.ts";
import { auditorKind } from "./auditor-kind.ts";

it("half of what is drawn is the relay's own to recompute, a quarter another provider's, a quarter is known", () => {
  const counts = { relay: 0, peer: 0, known: 0 };
  for (let lot = 0; lot < PPM; lot += 100) counts[auditorKind(POLICY, lot)] += 1;
  expect(counts).toEqual({ relay: 5_000, peer: 2_500, known: 2_500 });
  expect(auditorKind({ peerPpm: 0, knownPpm: 0 }, 0)).toBe("relay");
});
