import type { Connection } from "@libp2p/interface";
import type { TransportCandidate, TransportInfo } from "./mesh.ts";
import { peerConnectionOf, type StatsSource } from "./peer-connection.ts";

/** What carries a connection, read from the connection itself and, for WebRTC, from its statistics. */
export async function transportInfo(connection: Connection): Promise<TransportInfo> {
  const limited = connection.limits !== undefined;
  const source = peerConnectionOf(connection);
  if (source !== undefined) return { kind: "webrtc", limited, ...(await selectedPair(source)) };
  const overCircuit = connection.remoteAddr.getComponents().some(({ name }) => name === "p2p-circuit");
  return { kind: overCircuit ? "circuit" : "websocket", limited };
}

interface Stat {
  readonly id: string;
  readonly values: ReadonlyMap<string, unknown>;
}

type SelectedPair = Pick<TransportInfo, "localCandidate" | "remoteCandidate" | "protocol">;

/** The pair that the transport names as selected; Firefox names none there and marks the pair itself. */
async function selectedPair(source: StatsSource): Promise<SelectedPair> {
  const stats = await readStats(source);
  const transport = stats.find((stat) => typeof stat.values.get("selectedCandidatePairId") === "string");
  const pairId = transport?.values.get("selectedCandidatePairId");
  const pair =
    stats.find((stat) => stat.id === pairId) ??
    stats.find(
      (stat) => stat.values.get("type") === "candidate-pair" && stat.values.get("selected") === true,
    ) ??
    stats.find(
      (stat) => stat.values.get("type") === "candidate-pair" && stat.values.get("nominated") === true,
    );
  const local = stats.find((stat) => stat.id === pair?.values.get("localCandidateId"));
  const remote = stats.find((stat) => stat.id === pair?.values.get("remoteCandidateId"));
  const protocol = local?.values.get("protocol");
  return {
    ...(local === undefined ? {} : { localCandidate: candidate(local) }),
    ...(remote === undefined ? {} : { remoteCandidate: candidate(remote) }),
    ...(typeof protocol === "string" ? { protocol } : {}),
  };
}

async function readStats(source: StatsSource): Promise<readonly Stat[]> {
  const stats: Stat[] = [];
  for (const [id, value] of await source.getStats()) {
    if (typeof value === "object" && value !== null)
      stats.push({ id, values: new Map(Object.entries(value)) });
  }
  return stats;
}

/** Browsers hide the address of a `prflx` candidate: it was learned without the page. */
function candidate(stat: Stat): TransportCandidate {
  const type = stat.values.get("candidateType");
  const address = stat.values.get("address") ?? stat.values.get("ip");
  const port = stat.values.get("port");
  return {
    type: typeof type === "string" ? type : "unknown",
    ...(typeof address === "string" && address !== "" ? { address } : {}),
    ...(typeof port === "number" ? { port } : {}),
  };
}
