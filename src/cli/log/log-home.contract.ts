import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Verified } from "../../protocol/envelope.ts";
import type { Job } from "../../protocol/messages/job.ts";
import { bundlesOf, encodeBundle, tilePath } from "../../protocol/tiles.ts";
import {
  closeOf,
  LeaseWork,
  openScene,
  type Scene,
  sessionOf,
  signedJob,
  signedLease,
  signerOf,
} from "../../relay/books/books-scene.contract.ts";

/** A relay's log with a job in it, in files. For tests. */
export interface LogHome {
  readonly scene: Scene;
  readonly job: Verified<Job>;
  /** Entries of the two leases' last receipts. */
  readonly receipts: readonly number[];
}

/** Books at a path with a job in them. */
export async function writeBooks(path: string): Promise<LogHome> {
  return fillBooks(await openScene(path));
}

/** Two leases of one job, two receipts of each, by session keys, one of them with a leaf lost. */
export async function fillBooks(scene: Scene): Promise<LogHome> {
  const requester = await sessionOf("requester", "requester tab");
  const job = await signedJob(scene, {}, requester);
  const { index } = await scene.books.openJob(job);
  const receipts: number[] = [];
  for (const name of ["anna", "ben"]) {
    // oxlint-disable no-await-in-loop -- a log is a sequence
    const provider = await sessionOf(name, `${name} tab`);
    const lease = await signedLease(scene, job, index, {
      provider: signerOf(name).key,
      instance: provider.key,
    });
    await scene.books.addLease(lease);
    const work = new LeaseWork(scene, job, lease, requester);
    await work.go(3, 5).send({ provider, lost: name === "anna" ? [1] : [] });
    scene.clock.now += 1_000;
    receipts.push((await work.go(2, 0).send({ provider, receipt: { final: true } })).index);
    // oxlint-enable no-await-in-loop
  }
  await scene.books.closeJob(await closeOf(scene, job.id, requester));
  return { scene, job, receipts };
}

/** The same log as a folder of C2SP tiles. @param change alters entries as they are written */
export async function writeTiles(
  folder: string,
  { books }: Scene,
  change: (entry: Uint8Array, index: number) => Uint8Array = (entry) => entry,
): Promise<void> {
  const write = async (path: string, content: string | Uint8Array): Promise<void> => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  };
  await write("checkpoint", await books.checkpoint());
  for (const place of bundlesOf(books.size())) {
    const first = place.index * 256;
    const entries = books.kept.entries(first, place.width).map((entry, at) => change(entry, first + at));
    // oxlint-disable-next-line no-await-in-loop -- a few files
    await write(tilePath(place), encodeBundle(entries));
  }
}
