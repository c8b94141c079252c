import type { RelayContact } from "../ledger/relay-contact.ts";
import type { RelayClient } from "../mesh/relay-client.ts";
import { DEFAULT_AUDIT_POLICY } from "../protocol/audit-policy.ts";
import { askReferee, type RefereePorts } from "./ask-referee.ts";
import type { MadeJob } from "./make-job.ts";
import { Quorum, type QuorumPorts } from "./quorum.ts";
import type { RequesterPorts } from "./requester-session.ts";
import { Standings } from "./standings.ts";

interface QuorumBasis extends Pick<QuorumPorts, "patienceMs" | "signal" | "onResult" | "onChange"> {
  readonly job: MadeJob;
  readonly client: RelayClient;
  readonly contact: RelayContact;
  readonly ports: Pick<RequesterPorts, "signer" | "verify">;
  readonly report: RefereePorts["report"];
}

/** Nobody can recompute an effect, so records of honest computing say nothing of it: that all who were asked agree is all there is. */
const AGREEMENT: QuorumPorts["policy"] = { ...DEFAULT_AUDIT_POLICY, acceptPpm: 1_000_000 };

/** What compares the replicas of one job: by the relay's records of their providers, and by its recomputation. */
export function createQuorum(basis: QuorumBasis): Quorum {
  const { job, client, contact, ports, report, ...rest } = basis;
  const standings = new Standings(client);
  const { signal } = rest;
  const refereePorts = { ...ports, client, contact, report, signal };
  return new Quorum({
    ...rest,
    replicas: job.body.verify.k,
    parallel: job.body.parallel,
    policy: job.body.work.kind === "effect" ? AGREEMENT : DEFAULT_AUDIT_POLICY,
    standing: (provider, isFresh) => standings.of(provider, isFresh),
    referee: (vote, item) => askReferee(refereePorts, vote, item),
  });
}
