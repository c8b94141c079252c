import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AuditPolicy } from "../protocol/audit-policy.ts";
import type { RelayKeys } from "../protocol/messages/entry.ts";
import type { Tariff } from "../protocol/tariff.ts";
import type { Books } from "./books.ts";
import { type BooksOptions, openBooks } from "./books/open-books.ts";
import { type DataPaths, dataPaths, IN_MEMORY, lockFolder } from "./data-dir.ts";
import { policyDocument } from "./policy-document.ts";
import {
  defaultOrigin,
  type KeptSeeds,
  loadSeeds,
  newSeeds,
  type RelaySeeds,
  saveSeeds,
} from "./relay-seeds.ts";

/** A relay's data, held by this process until it is closed. */
export interface RelayData {
  readonly origin: string;
  /** Seed of the relay's identity in the mesh. */
  readonly meshSeed: Uint8Array;
  readonly books: Books;
  /** Where things are; absent in memory. */
  readonly paths?: DataPaths;
  readonly blobFolder: string;
  /** Replaces a signing key: the new one is on the disk before the log knows of it. */
  rotateKey(purpose: keyof RelayKeys): Promise<void>;
  /** Idempotent. */
  close(): void;
}

export interface DataOptions {
  /** A folder, or ":memory:". */
  readonly dataDir: string;
  readonly origin?: string | undefined;
  /** Default: that of the log, or test credits in a new one. */
  readonly asset?: string | undefined;
  readonly tariff: Tariff;
  /** Numbers of audits; absent where nothing is audited. */
  readonly audit?: AuditPolicy | undefined;
  readonly nowMs: () => number;
}

/**
 * Opens a relay's folder, making keys and log at the first start.
 * @throws Error when another process holds it, its keys are damaged, or the log does not fit them.
 */
export async function openData(options: DataOptions): Promise<RelayData> {
  return options.dataDir === IN_MEMORY ? openInMemory(options) : openFolder(options);
}

function booksOptions(
  { tariff, audit, asset, nowMs }: DataOptions,
  path: string,
  origin: string,
  { log, lease, draw }: RelaySeeds,
): BooksOptions {
  return {
    path,
    origin,
    ...(asset === undefined ? {} : { asset }),
    seeds: { log, lease, draw },
    clock: nowMs,
    tariff,
    policyDocument: policyDocument(audit),
    ...(audit === undefined ? {} : { audit }),
  };
}

async function openInMemory(options: DataOptions): Promise<RelayData> {
  const seeds = newSeeds();
  const origin = options.origin ?? (await defaultOrigin(seeds.log));
  const books = await openBooks(booksOptions(options, IN_MEMORY, origin, seeds));
  const blobFolder = mkdtempSync(join(tmpdir(), "tabmesh-blobs-"));
  let closed = false;
  return {
    origin,
    meshSeed: seeds.mesh,
    books,
    blobFolder,
    rotateKey: async (purpose) => void (await books.rotateKey(purpose, newSeeds()[purpose])),
    close() {
      if (closed) return;
      closed = true;
      books.close();
      rmSync(blobFolder, { recursive: true, force: true });
    },
  };
}

async function openFolder(options: DataOptions): Promise<RelayData> {
  const paths = dataPaths(options.dataDir);
  const unlock = lockFolder(paths.folder);
  try {
    const kept = await loadSeeds(paths.keys, options.origin);
    const { books, seeds } = await openWithSeeds(options, paths, kept);
    return new FolderData(kept.origin, seeds, books, paths, unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

/** A rotation that was cut off has either reached the log or not; the books take only the keys in force. */
async function openWithSeeds(
  options: DataOptions,
  paths: DataPaths,
  { origin, seeds, next }: KeptSeeds,
): Promise<{ readonly books: Books; readonly seeds: RelaySeeds }> {
  if (next === undefined) {
    return { books: await openBooks(booksOptions(options, paths.books, origin, seeds)), seeds };
  }
  const replaced: RelaySeeds = { ...seeds, [next.purpose]: next.seed };
  let inForce = replaced;
  let books: Books;
  try {
    books = await openBooks(booksOptions(options, paths.books, origin, replaced));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    inForce = seeds;
    books = await openBooks(booksOptions(options, paths.books, origin, seeds));
  }
  saveSeeds(paths.keys, { origin, seeds: inForce });
  return { books, seeds: inForce };
}

class FolderData implements RelayData {
  readonly origin: string;
  readonly books: Books;
  readonly paths: DataPaths;
  readonly #unlock: () => void;
  #seeds: RelaySeeds;
  #closed = false;

  constructor(origin: string, seeds: RelaySeeds, books: Books, paths: DataPaths, unlock: () => void) {
    this.origin = origin;
    this.books = books;
    this.paths = paths;
    this.#seeds = seeds;
    this.#unlock = unlock;
  }

  get meshSeed(): Uint8Array {
    return this.#seeds.mesh;
  }

  get blobFolder(): string {
    return this.paths.blobs;
  }

  async rotateKey(purpose: keyof RelayKeys): Promise<void> {
    const seed = newSeeds()[purpose];
    const { origin, paths } = this;
    saveSeeds(paths.keys, { origin, seeds: this.#seeds, next: { purpose, seed } });
    await this.books.rotateKey(purpose, seed);
    this.#seeds = { ...this.#seeds, [purpose]: seed };
    saveSeeds(paths.keys, { origin, seeds: this.#seeds });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.books.close();
    this.#unlock();
  }
}
