import { buffer } from "node:stream/consumers";
import { type Cid, cidCodec, cidOf } from "../../protocol/cid.ts";
import { MAX_ARGS_BYTES } from "../../protocol/limits.ts";
import { type Job, jobArgsSchema } from "../../protocol/messages/job.ts";
import { chunkCid, chunkCount, chunkRange, decodeManifest } from "../../protocol/model-manifest.ts";
import { decode } from "../../protocol/schema.ts";
import type { TaskArgs, TaskFile } from "../../sandbox/task.ts";
import type { BlobFolder } from "../blob-folder.ts";
import { sha256 } from "../books/native-hash.ts";
import { MOST_CONTENT_BYTES, RECENT_CONTENT_BYTES } from "./limits.ts";

/** Something that a recomputation needs is not at this relay, or is damaged. */
export class ContentMissing extends Error {
  static override readonly name = "ContentMissing";
  readonly cid: Cid;

  constructor(cid: Cid) {
    super(`${cid} is not here`);
    this.cid = cid;
  }
}

export interface FunctionContent {
  readonly module: Uint8Array;
  readonly args: TaskArgs;
  /** Of the module and all files. */
  readonly bytes: number;
}

/** What tasks share takes more memory than audits may have. */
export class ContentTooLarge extends Error {
  static override readonly name = "ContentTooLarge";
}

/** What tasks are made of, out of the relay's blobs, hashed again: a disk may rot, and a verdict is not to follow from that. */
export class WorkContent {
  readonly #blobs: Pick<BlobFolder, "find" | "has">;
  /** The functions used last, since one report has many tasks of one; hashing 20 MB anew takes 20 ms of the relay's own thread. */
  readonly #recent = new Map<string, FunctionContent>();
  #recentBytes = 0;

  constructor(blobs: Pick<BlobFolder, "find" | "has">) {
    this.#blobs = blobs;
  }

  has(cid: Cid): boolean {
    return this.#blobs.has(cid);
  }

  /** @throws ContentMissing */
  async bytes(cid: Cid): Promise<Uint8Array<ArrayBuffer>> {
    const blob = this.#blobs.find(cid);
    if (blob === undefined) throw new ContentMissing(cid);
    let bytes: Uint8Array<ArrayBuffer>;
    try {
      bytes = new Uint8Array(await buffer(blob.open()));
    } catch {
      // It has gone to make room since it was found.
      throw new ContentMissing(cid);
    }
    if (cidOf(cidCodec(cid), bytes, sha256) !== cid) throw new ContentMissing(cid);
    return bytes;
  }

  /**
   * The function of a job with what all its tasks share, as a provider puts it together.
   * @throws ContentMissing, ContentTooLarge
   */
  async function(job: Pick<Job, "work" | "argsCid">): Promise<FunctionContent> {
    const name = `${job.work.cid} ${job.argsCid}`;
    const known = this.#recent.get(name);
    this.#recent.delete(name);
    const content = known ?? (await this.#function(job));
    if (known === undefined) this.#recentBytes += content.bytes;
    this.#recent.set(name, content);
    for (const [oldest, { bytes }] of this.#recent) {
      if (this.#recentBytes <= RECENT_CONTENT_BYTES) break;
      this.#recent.delete(oldest);
      this.#recentBytes -= bytes;
    }
    return content;
  }

  async #function({ work, argsCid }: Pick<Job, "work" | "argsCid">): Promise<FunctionContent> {
    const args = decode(jobArgsSchema, await this.bytes(argsCid), MAX_ARGS_BYTES);
    const declared = args.files.reduce((sum, { size }) => sum + size, 0);
    if (declared > MOST_CONTENT_BYTES) throw new ContentTooLarge(`its files have ${declared} bytes`);
    const [module, files] = await Promise.all([
      this.bytes(work.cid),
      Promise.all(
        args.files.map(async ({ path, cid }): Promise<TaskFile> => ({ path, bytes: await this.bytes(cid) })),
      ),
    ]);
    const bytes = files.reduce((sum, file) => sum + file.bytes.length, module.length);
    if (bytes > MOST_CONTENT_BYTES) throw new ContentTooLarge(`its function and files have ${bytes} bytes`);
    return {
      module,
      bytes,
      args: {
        args: args.args,
        env: Object.fromEntries(args.env.map(({ name, value }) => [name, value])),
        files,
        ...(args.inputFile === undefined ? {} : { inputFile: args.inputFile }),
        ...(args.outputFile === undefined ? {} : { outputFile: args.outputFile }),
      },
    };
  }

  /** A model's file, put together from its chunks. @throws ContentMissing */
  async model(cid: Cid): Promise<{ readonly file: ArrayBuffer; readonly memory: number }> {
    const manifest = decodeManifest(await this.bytes(cid));
    const file = new Uint8Array(manifest.size);
    for (let index = 0; index < chunkCount(manifest); index += 1)
      // oxlint-disable-next-line no-await-in-loop -- one after the other, so that only one is held twice
      file.set(await this.bytes(chunkCid(manifest, index)), chunkRange(manifest, index).from);
    return { file: file.buffer, memory: manifest.memory };
  }
}
