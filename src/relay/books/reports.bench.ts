import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Bench } from "../../../bench/bench.ts";
import { openEnvelope } from "../../protocol/envelope.ts";
import { receiptMessage, reportMessage } from "../../protocol/messages/receipt.ts";
import { microCredits } from "../../protocol/units.ts";
import {
  LeaseWork,
  openScene,
  type Scene,
  signedJob,
  signedLease,
  signerOf,
} from "./books-scene.contract.ts";
import { verifyNative } from "./native-keys.ts";

export interface ReportSpeed {
  /** Reports logged per second on one thread, durably, each with two signatures. */
  readonly receiptsPerSecond: number;
  /** Bare Ed25519 verifications per second with keys already imported, measured in between. */
  readonly verificationsPerSecond: number;
}

/** Leases the reports are spread over; each gets every 16th of its provider's. */
const LEASES = 64;
/** Reports waiting at a time, like those of as many connections. */
const AT_ONCE = 512;
const ROUNDS = 5;

async function openWorks(scene: Scene): Promise<readonly LeaseWork[]> {
  await scene.books.grant(scene.requester.key, microCredits(1_000_000_000_000n), "a measurement");
  const works: LeaseWork[] = [];
  for (let i = 0; i < LEASES; i += 1) {
    // Leases are opened one after the other, outside the measurement.
    // oxlint-disable no-await-in-loop
    const provider = signerOf(`provider ${i % 16}`);
    const job = await signedJob(scene, { cap: microCredits(1_000_000_000) });
    const { index } = await scene.books.openJob(job);
    const lease = await signedLease(scene, job, index, {
      budget: microCredits(1_000_000_000),
      provider: provider.key,
      instance: provider.key,
    });
    await scene.books.addLease(lease);
    // oxlint-enable no-await-in-loop
    works.push(new LeaseWork(scene, job, lease));
  }
  return works;
}

async function writeReports(works: readonly LeaseWork[], count: number): Promise<readonly Uint8Array[]> {
  const reports: Uint8Array[] = [];
  for (let i = 0; i < count; i += 1) {
    const work = works[i % works.length];
    if (work === undefined) continue;
    // oxlint-disable-next-line no-await-in-loop -- a lease's reports follow each other
    reports.push(await work.go(7).report({ provider: signerOf(`provider ${(i % LEASES) % 16}`) }));
    work.logged = work.outcomes.size;
  }
  return reports;
}

function verifications(reports: readonly Uint8Array[]): number {
  const claims = reports.flatMap(
    (data) => openEnvelope(receiptMessage, openEnvelope(reportMessage, data).body.receipt).claims,
  );
  const started = performance.now();
  for (const { key, message, signature } of claims)
    if (!verifyNative(key, message, signature)) throw new Error("a signature does not hold");
  return (claims.length * 1_000) / (performance.now() - started);
}

async function logged(scene: Scene, reports: readonly Uint8Array[]): Promise<number> {
  const started = performance.now();
  for (let at = 0; at < reports.length; at += AT_ONCE) {
    // oxlint-disable-next-line no-await-in-loop -- as many at once as there are connections
    await Promise.all(reports.slice(at, at + AT_ONCE).map(async (each) => scene.books.report(each)));
  }
  return (reports.length * 1_000) / (performance.now() - started);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** Logs `count` reports into books on a real file, in rounds between rounds of bare verification. */
export async function benchReports({ count }: { readonly count: number }): Promise<ReportSpeed> {
  const folder = mkdtempSync(join(tmpdir(), "tabmesh-bench-"));
  const scene = await openScene(join(folder, "books.sqlite"));
  try {
    const works = await openWorks(scene);
    const each = Math.ceil(count / ROUNDS);
    const speeds: { bare: number; whole: number }[] = [];
    for (let round = 0; round <= ROUNDS; round += 1) {
      // oxlint-disable-next-line no-await-in-loop -- rounds are interleaved on purpose
      const reports = await writeReports(works, each);
      const bare = verifications(reports);
      // oxlint-disable-next-line no-await-in-loop
      const whole = await logged(scene, reports);
      // The first round warms up.
      if (round > 0) speeds.push({ bare, whole });
    }
    return {
      receiptsPerSecond: median(speeds.map(({ whole }) => whole)),
      verificationsPerSecond: median(speeds.map(({ bare }) => bare)),
    };
  } finally {
    scene.books.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Enough for half a minute of a machine that logs 5,000 a second with everything around it. */
const REPORTS = 10_000;

export const benches: readonly Bench[] = [
  {
    name: "relay-receipts",
    goal: { ratio: 0.7, better: "higher" },
    async run() {
      const { receiptsPerSecond, verificationsPerSecond } = await benchReports({ count: REPORTS });
      return [
        {
          name: "relay-receipts",
          value: receiptsPerSecond,
          unit: "receipts/s",
          reference: verificationsPerSecond / 2,
        },
      ];
    },
  },
];
