import { Counter, Gauge, Histogram, Registry } from "prom-client";

/** What is read when somebody asks, not counted. */
export interface MetricSources {
  readonly connections: () => number;
  readonly reservations: () => number;
  readonly offers: () => number;
  readonly freeThreads: () => number;
  readonly logSize: () => number;
  readonly blobBytes: () => number;
  readonly eventStreams: () => number;
}

/** The relay's numbers for Prometheus. Each relay has a registry of its own, so that several fit one process. */
export interface RelayMetrics {
  /** Prometheus text exposition. */
  text(): Promise<string>;
  readonly contentType: string;
  /** @param name failure name, as in "no-provider". */
  refused(name: string): void;
  /** @param route pattern, never the path itself. */
  answered(method: string, route: string, status: number, seconds: number): void;
  logged(type: string): void;
  /** Time from handing something to the books until it was durable. */
  committed(seconds: number): void;
  leased(count: number): void;
  heartbeatLost(): void;
  /** A verdict. @param by who has recomputed the outcome; "none" where nobody has */
  judged(result: string, by: "relay" | "peer" | "known" | "none"): void;
  /** An outcome could not be recomputed by a fault of the relay's own, or of what is not here. */
  auditFailed(): void;
  auditsWaiting(count: number): void;
}

const HTTP_SECONDS = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];
const COMMIT_SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1];

export function createMetrics(sources: MetricSources): RelayMetrics {
  const registry = new Registry();
  const registers = [registry];
  addGauges(registry, sources);
  const refusals = new Counter({
    name: "tabmesh_refusals_total",
    help: "Requests and streams refused, by failure code.",
    labelNames: ["code"],
    registers,
  });
  const requests = new Histogram({
    name: "tabmesh_http_seconds",
    help: "Time to answer an HTTP request; for event streams, until they begin.",
    labelNames: ["method", "route", "status"],
    buckets: HTTP_SECONDS,
    registers,
  });
  const entries = new Counter({
    name: "tabmesh_log_entries_total",
    help: "Entries appended to the log, by type; receipts per second are rate() of type receipt.",
    labelNames: ["type"],
    registers,
  });
  const commits = new Histogram({
    name: "tabmesh_commit_seconds",
    help: "Time from a report or job to its durable entry.",
    buckets: COMMIT_SECONDS,
    registers,
  });
  let openLeases = 0;
  const open = new Gauge({
    name: "tabmesh_open_leases",
    help: "Leases made since the start that are not settled.",
    registers,
  });
  const leases = new Counter({ name: "tabmesh_leases_total", help: "Leases made.", registers });
  const lost = new Counter({
    name: "tabmesh_heartbeats_lost_total",
    help: "Providers that stopped answering pings.",
    registers,
  });
  const verdicts = new Counter({
    name: "tabmesh_verdicts_total",
    help: "Verdicts on drawn outcomes, by result and by who recomputed them.",
    labelNames: ["result", "by"],
    registers,
  });
  const auditFailures = new Counter({
    name: "tabmesh_audit_failures_total",
    help: "Outcomes that could not be recomputed here, each try counted.",
    registers,
  });
  const waiting = new Gauge({
    name: "tabmesh_audits_waiting",
    help: "Outcomes that were opened and have no verdict yet.",
    registers,
  });
  return {
    text: () => registry.metrics(),
    contentType: registry.contentType,
    refused: (code) => refusals.inc({ code }),
    answered: (method, route, status, seconds) =>
      requests.observe({ method, route, status: String(status) }, seconds),
    logged(type) {
      entries.inc({ type });
      // Leases of an earlier start end as well, and were never counted here.
      if (type === "lease") openLeases += 1;
      else if (type === "settle") openLeases = Math.max(0, openLeases - 1);
      open.set(openLeases);
    },
    committed: (seconds) => commits.observe(seconds),
    leased: (count) => leases.inc(count),
    heartbeatLost: () => lost.inc(),
    judged: (result, by) => verdicts.inc({ result, by }),
    auditFailed: () => auditFailures.inc(),
    auditsWaiting: (count) => waiting.set(count),
  };
}

function addGauges(registry: Registry, sources: MetricSources): void {
  const gauges: readonly (readonly [name: string, help: string, read: () => number])[] = [
    ["tabmesh_connections", "Peers connected to the mesh.", sources.connections],
    ["tabmesh_reservations", "Peers that can be called through this relay.", sources.reservations],
    ["tabmesh_offers", "Providers whose offer stands.", sources.offers],
    ["tabmesh_free_threads", "Idle threads of all offers.", sources.freeThreads],
    ["tabmesh_log_size", "Entries in the log.", sources.logSize],
    ["tabmesh_blob_bytes", "Bytes of stored blobs.", sources.blobBytes],
    ["tabmesh_event_streams", "Open event streams.", sources.eventStreams],
    ["process_resident_memory_bytes", "Resident memory.", () => process.memoryUsage.rss()],
    ["process_heap_bytes", "Heap in use.", () => process.memoryUsage().heapUsed],
    ["process_external_bytes", "Memory outside the heap.", () => process.memoryUsage().external],
  ];
  for (const [name, help, read] of gauges) {
    registry.registerMetric(
      new Gauge({
        name,
        help,
        registers: [],
        collect() {
          this.set(read());
        },
      }),
    );
  }
}
