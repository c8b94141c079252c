import type { Cid } from "../../protocol/cid.ts";
import { FailureError } from "../../protocol/failure.ts";
import { MAX_TASK_BYTES } from "../../protocol/limits.ts";
import type { BlobFolder, StoredBlob } from "../blob-folder.ts";
import type { Books } from "../books.ts";
import { requireServed } from "../denials.ts";
import { MAX_RUN_VALUE_BYTES } from "./limits.ts";
import { MailRoom } from "./mail-room.ts";
import type { RunMail } from "./run-mail.ts";

/** Values that wait for whoever goes on with a run or returns to it: only what plan, parameters and receipts of the run name. */
export class ValueBox {
  readonly #books: Books;
  readonly #mail: RunMail;
  readonly #blobs: BlobFolder;
  readonly room: MailRoom;

  constructor(books: Books, mail: RunMail, blobs: BlobFolder) {
    this.#books = books;
    this.#mail = mail;
    this.#blobs = blobs;
    this.room = new MailRoom({
      mail,
      isOver: (run) => (books.runs.run(run)?.stage ?? "done") !== "open",
      forget: (run) => this.forget(run),
    });
    for (const { run } of mail.boxes()) blobs.keep(mail.values(run));
  }

  /**
   * @param announced bytes by the request's own word; 0 where it says nothing.
   * @throws FailureError `not-found` for what the run does not name, `too-large`, `content-mismatch`, `denied`.
   */
  async put(run: Cid, cid: Cid, announced: number, body: ReadableStream<Uint8Array>): Promise<void> {
    requireServed(this.#books, cid);
    if (!this.#mail.isNamed(run, cid))
      throw new FailureError("not-found", "no receipt of this run that is here names that value");
    const box = this.#mail.box(run);
    if (box === undefined) throw new FailureError("not-found", "what was kept of this run is gone");
    const most = Math.min(MAX_TASK_BYTES, MAX_RUN_VALUE_BYTES - box.valueBytes);
    if (announced > most) throw tooLarge(most);
    this.room.require(box.payer, "valueBytes", Math.max(announced, 1));
    const room = Math.min(most, this.room.left(box.payer, "valueBytes"));
    if (this.#mail.isHere(run, cid) && this.#blobs.has(cid)) {
      await body.cancel();
      return;
    }
    this.#blobs.keep([cid]);
    try {
      if (this.#blobs.has(cid)) await body.cancel();
      else await this.#blobs.put(cid, body.pipeThrough(atMost(room)));
    } catch (error) {
      this.#blobs.release([cid]);
      throw error;
    }
    this.#mail.arrived(run, cid, this.#blobs.find(cid)?.size ?? 0);
  }

  find(run: Cid, cid: Cid): StoredBlob | undefined {
    requireServed(this.#books, cid);
    const terms = this.#books.runs.run(run)?.terms;
    if (cid === terms?.plan) return stored(this.#mail.terms(run)?.plan);
    if (cid === terms?.params) return stored(this.#mail.terms(run)?.params);
    return this.#mail.isNamed(run, cid) ? this.#blobs.find(cid) : undefined;
  }

  /** Lets go of all that waits for a run. */
  forget(run: Cid): void {
    this.#blobs.release(this.#mail.values(run));
    this.#mail.remove(run);
  }
}

function stored(bytes: Uint8Array | undefined): StoredBlob | undefined {
  if (bytes === undefined) return undefined;
  return { size: bytes.length, open: () => new Blob([bytes.slice()]).stream() };
}

function tooLarge(room: number): FailureError {
  return new FailureError("too-large", `there is room for ${room} bytes more of values of this run`);
}

/** @throws FailureError `too-large` to who reads beyond that */
function atMost(bytes: number): TransformStream<Uint8Array, Uint8Array> {
  let left = bytes;
  return new TransformStream({
    transform(chunk, to) {
      left -= chunk.length;
      if (left < 0) to.error(tooLarge(bytes));
      else to.enqueue(chunk);
    },
  });
}
