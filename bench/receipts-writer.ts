/**
 * A relay's folder with a provider that has so many receipts, spread over the last eighty days. Every message is signed and
 * judged by the books themselves, so that each line of the list can be verified in a page.
 */
import { join } from "node:path";
import { DEFAULT_AUDIT_POLICY } from "../src/protocol/audit-policy.ts";
import { type Cid, cidOf, RAW } from "../src/protocol/cid.ts";
import { encodeUtf8 } from "../src/protocol/text.ts";
import { microCredits } from "../src/protocol/units.ts";
import {
  LeaseWork,
  openScene,
  optionsOf,
  ORIGIN,
  type Scene,
  seedOf,
  signedJob,
  signedLease,
} from "../src/relay/books/books-scene.contract.ts";
import { openBooks } from "../src/relay/books/open-books.ts";
import { dataPaths, makePrivateFolder } from "../src/relay/data-dir.ts";
import { saveSeeds } from "../src/relay/relay-seeds.ts";

const HOUR_MS = 3_600_000;
const HOURS = 80 * 24;
const FUNCTIONS: readonly Cid[] = Array.from({ length: 12 }, (_, i) =>
  cidOf(RAW, encodeUtf8(`function ${i}`)),
);
/** Leases that are still open at the end, and leases before them whose audits are not over. */
const OPEN = 3;
const HELD = 12;
const MOST_LEASES_PER_JOB = 256;

/** The provider's key, for whoever wants to look at its earnings. */
export const PROVIDER_SEED: Uint8Array = seedOf("provider");

/** Numbers that look random and are the same each time. */
function chance(index: number): number {
  return (index * 0.618_033_988_749) % 1;
}

/** How many of the receipts fall into each hour: more by day than by night, some nights none. */
function spread(count: number): readonly number[] {
  const weights = Array.from({ length: HOURS }, (_, hour) => {
    const byDay = 1 + Math.sin(((hour % 24) / 24) * 2 * Math.PI);
    return chance(hour) < 0.12 ? 0 : byDay * (0.4 + chance(hour * 7));
  });
  const sum = weights.reduce((a, b) => a + b, 0);
  let due = 0;
  let given = 0;
  return weights.map((weight) => {
    due += (weight / sum) * count;
    const now = Math.round(due) - given;
    given += now;
    return now;
  });
}

async function workedHour(
  scene: Scene,
  number: number,
  leases: number,
  isAudited: boolean,
): Promise<LeaseWork[]> {
  const cid = FUNCTIONS[Math.floor(chance(number) ** 2 * FUNCTIONS.length)] ?? FUNCTIONS[0]!;
  const job = await signedJob(scene, {
    work: { kind: "function", cid, entry: "run", abi: "bytes-1", profile: 1, effects: [] },
    cap: microCredits(5_100 * leases),
  });
  const { index } = await scene.books.openJob(job);
  const audit = isAudited ? { policyVersion: DEFAULT_AUDIT_POLICY.version } : {};
  return Promise.all(
    Array.from({ length: leases }, async (_, replica) => {
      const lease = await signedLease(scene, job, index, { replica, ...audit });
      await scene.books.addLease(lease);
      const tasks = 1 + Math.floor(chance(number * 31 + replica) * 40);
      return new LeaseWork(scene, job, lease).go(tasks);
    }),
  );
}

/** @param folder of a relay that has none yet; @param nowMs the last receipt's log time. */
export async function writeReceipts(folder: string, count: number, nowMs: number): Promise<void> {
  makePrivateFolder(folder);
  const paths = dataPaths(folder);
  const { seeds } = optionsOf(paths.books, { now: 0 });
  saveSeeds(paths.keys, { origin: ORIGIN, seeds: { ...seeds, mesh: seedOf("mesh") } });
  const start = nowMs - HOURS * HOUR_MS;
  const clock = { now: start };
  const options = { ...optionsOf(paths.books, clock), audit: DEFAULT_AUDIT_POLICY };
  const books = await openBooks(options);
  const { requester, provider } = await openScene();
  const scene: Scene = { books, clock, options, requester, provider };
  await books.grant(requester.key, microCredits(10n ** 15n), "a measurement");
  let left = count;
  for (const [number, leases] of spread(count).entries()) {
    clock.now = Math.max(clock.now, start + number * HOUR_MS);
    for (let due = Math.min(leases, left); due > 0;) {
      const now = Math.min(due, MOST_LEASES_PER_JOB);
      const isLast = left <= OPEN + HELD;
      // oxlint-disable-next-line no-await-in-loop -- hour after hour
      const works = await workedHour(scene, number, now, isLast);
      const final = left > OPEN;
      // oxlint-disable-next-line no-await-in-loop
      await Promise.all(works.map((work) => work.send({ receipt: { final } })));
      due -= now;
      left -= now;
    }
    // oxlint-disable-next-line no-await-in-loop
    await books.settleDue();
  }
  books.close();
}

if (process.argv[1]?.endsWith("receipts-writer.ts") === true) {
  const [, , folder = join(process.cwd(), "receipts"), count = "100000"] = process.argv;
  const started = performance.now();
  await writeReceipts(folder, Number(count), Date.now());
  process.stdout.write(`${count} receipts in ${Math.round((performance.now() - started) / 1_000)} s\n`);
}
