import { createHash, randomUUID } from "node:crypto";
import { createReadStream, createWriteStream, mkdirSync } from "node:fs";
import { readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Cid, cidCodec, cidFromDigest, isCid } from "../protocol/cid.ts";
import { FailureError } from "../protocol/failure.ts";
import { MAX_BLOB_BYTES } from "../protocol/limits.ts";
import { MAX_UPLOADS, USE_NOTED_MS } from "./limits.ts";

export interface StoredBlob {
  readonly size: number;
  /** Read once, to the end or destroyed. */
  open(): ReadableStream<Uint8Array>;
}

interface Known {
  readonly size: number;
  /** Milliseconds since 1970. */
  usedAt: number;
}

/**
 * Blobs in a folder, one file each, named by CID. A file appears whole or not at all; when all together exceed the cap,
 * those not asked for longest go. The relay is a convenience here, not an archive: requesters keep what they sent.
 */
export class BlobFolder {
  readonly #folder: string;
  readonly #uploads: string;
  readonly #capBytes: number;
  readonly #nowMs: () => number;
  readonly #known = new Map<Cid, Known>();
  /** How many times each blob was asked to stay. */
  readonly #kept = new Map<Cid, number>();
  #bytes = 0;
  #uploading = 0;

  private constructor(folder: string, capBytes: number, nowMs: () => number) {
    this.#folder = folder;
    this.#uploads = join(folder, "uploads");
    this.#capBytes = capBytes;
    this.#nowMs = nowMs;
  }

  static async open(folder: string, capBytes: number, nowMs: () => number): Promise<BlobFolder> {
    const blobs = new BlobFolder(folder, capBytes, nowMs);
    mkdirSync(blobs.#uploads, { recursive: true, mode: 0o700 });
    await blobs.#takeStock();
    return blobs;
  }

  /** Bytes of all blobs. */
  get bytes(): number {
    return this.#bytes;
  }

  get count(): number {
    return this.#known.size;
  }

  has(cid: Cid): boolean {
    return this.#known.has(cid);
  }

  /** Blobs that stay whatever room others want, until they are released as often. They need not be here yet. */
  keep(cids: Iterable<Cid>): void {
    for (const cid of cids) this.#kept.set(cid, (this.#kept.get(cid) ?? 0) + 1);
  }

  release(cids: Iterable<Cid>): void {
    for (const cid of cids) {
      const times = this.#kept.get(cid) ?? 0;
      if (times > 1) this.#kept.set(cid, times - 1);
      else this.#kept.delete(cid);
    }
  }

  isKept(cid: Cid): boolean {
    return this.#kept.has(cid);
  }

  /** Files whose blob is denied or damaged. */
  async remove(cid: Cid): Promise<void> {
    const known = this.#known.get(cid);
    if (known === undefined) return;
    this.#known.delete(cid);
    this.#bytes -= known.size;
    await rm(join(this.#folder, cid), { force: true });
  }

  find(cid: Cid): StoredBlob | undefined {
    const known = this.#known.get(cid);
    if (known === undefined) return undefined;
    this.#touch(cid, known);
    const path = join(this.#folder, cid);
    return {
      size: known.size,
      open: () => Readable.toWeb(createReadStream(path)),
    };
  }

  /**
   * Stores what `body` brings, if it hashes to `cid`.
   * @throws FailureError `content-mismatch`, `too-large` above MAX_BLOB_BYTES, `rate-limited` above MAX_UPLOADS at a time.
   */
  async put(cid: Cid, body: ReadableStream<Uint8Array>): Promise<void> {
    if (this.#uploading >= MAX_UPLOADS)
      throw new FailureError("rate-limited", `${MAX_UPLOADS} blobs are on their way in already`);
    this.#uploading += 1;
    try {
      await this.#receive(cid, body);
    } finally {
      this.#uploading -= 1;
    }
  }

  async #receive(cid: Cid, body: ReadableStream<Uint8Array>): Promise<void> {
    const temporary = join(this.#uploads, randomUUID());
    const hash = createHash("sha256");
    let size = 0;
    const measure = new Transform({
      transform(chunk: Uint8Array, _encoding, done) {
        size += chunk.length;
        hash.update(chunk);
        if (size > MAX_BLOB_BYTES)
          done(new FailureError("too-large", `a blob has at most ${MAX_BLOB_BYTES} bytes`));
        else done(null, chunk);
      },
    });
    try {
      await pipeline(
        Readable.fromWeb(body),
        measure,
        createWriteStream(temporary, { flags: "wx", mode: 0o600, flush: true }),
      );
      if (cidFromDigest(cidCodec(cid), hash.digest()) !== cid)
        throw new FailureError("content-mismatch", `these bytes do not hash to ${cid}`);
      await this.#adopt(cid, temporary, size);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  async #adopt(cid: Cid, temporary: string, size: number): Promise<void> {
    await rename(temporary, join(this.#folder, cid));
    const before = this.#known.get(cid);
    this.#known.delete(cid);
    this.#known.set(cid, { size, usedAt: this.#nowMs() });
    this.#bytes += size - (before?.size ?? 0);
    await this.#makeRoom(cid);
  }

  /** The map is in order of use, oldest first. */
  async #makeRoom(keep: Cid): Promise<void> {
    const leaving: Cid[] = [];
    let bytes = this.#bytes;
    for (const [cid, { size }] of this.#known) {
      if (bytes <= this.#capBytes) break;
      if (cid === keep || this.#kept.has(cid)) continue;
      bytes -= size;
      leaving.push(cid);
    }
    await Promise.all(leaving.map((cid) => this.remove(cid)));
  }

  #touch(cid: Cid, known: Known): void {
    this.#known.delete(cid);
    this.#known.set(cid, known);
    const now = this.#nowMs();
    if (now - known.usedAt < USE_NOTED_MS) return;
    known.usedAt = now;
    utimes(join(this.#folder, cid), now / 1000, now / 1000).catch(() => undefined);
  }

  async #takeStock(): Promise<void> {
    const names = await readdir(this.#folder);
    const found = await Promise.all(
      names.filter(isCid).map(async (cid) => ({ cid, file: await stat(join(this.#folder, cid)) })),
    );
    for (const { cid, file } of found.toSorted((a, b) => a.file.mtimeMs - b.file.mtimeMs)) {
      this.#known.set(cid, { size: file.size, usedAt: file.mtimeMs });
      this.#bytes += file.size;
    }
    const uploads = await readdir(this.#uploads);
    await Promise.all(uploads.map((name) => rm(join(this.#uploads, name), { force: true })));
  }
}
