import type { Cid } from "../../protocol/cid.ts";
import { FailureError } from "../../protocol/failure.ts";
import { MAX_TASK_BYTES } from "../../protocol/limits.ts";
import type { BlobFolder, StoredBlob } from "../blob-folder.ts";
import type { Books } from "../books.ts";
import { requireServed } from "../denials.ts";
import { MAX_RUN_VALUE_BYTES } from "./limits.ts";
import { MailRoom } from "./mail-room.ts";
import type { BoxRow, RunMail } from "./run-mail.ts";

/** Values that wait for whoever goes on with a run or returns to it: only what plan, parameters and receipts of the run name. */
export class ValueBox {
  readonly #books: Pick<Books, "runs" | "denied">;
  readonly #mail: RunMail;
  readonly #blobs: BlobFolder;
  readonly #mostOfRun: number;
  readonly room: MailRoom;
  /** Bytes of values that are on their way in, by run. */
  readonly #coming = new Map<Cid, number>();

  /** @param mostOfRun bytes of values of one run */
  constructor(
    books: Pick<Books, "runs" | "denied">,
    mail: RunMail,
    blobs: BlobFolder,
    mostOfRun: number = MAX_RUN_VALUE_BYTES,
  ) {
    this.#mostOfRun = mostOfRun;
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
    if (box === undefined) throw gone();
    if (this.#mail.isHere(run, cid) && this.#blobs.has(cid)) {
      await body.cancel();
      return;
    }
    const here = this.#blobs.find(cid)?.size;
    const size = here ?? announced;
    const most = this.#most(box);
    if (size > most) throw tooLarge(most);
    this.room.require(box.payer, "valueBytes", Math.max(size, 1));
    if (here !== undefined) {
      if (this.#arrived(run, cid, here)) this.#blobs.keep([cid]);
      await body.cancel();
      return;
    }
    this.#blobs.keep([cid]);
    const coming = { bytes: 0 };
    let isOneMore = false;
    try {
      await this.#blobs.put(cid, body.pipeThrough(this.#counted(run, coming)));
      isOneMore = this.#arrived(run, cid, coming.bytes);
    } finally {
      this.#count(box, -coming.bytes);
      if (!isOneMore) this.#blobs.release([cid]);
    }
  }

  /** @returns whether it is one more. @throws FailureError `not-found` where the run was forgotten in the meantime */
  #arrived(run: Cid, cid: Cid, size: number): boolean {
    if (this.#mail.arrived(run, cid, size)) return true;
    if (!this.#mail.isHere(run, cid)) throw gone();
    return false;
  }

  /** Bytes that one more value of a run may have, beside what comes at the same time. */
  #most({ run, valueBytes }: BoxRow): number {
    return Math.min(MAX_TASK_BYTES, this.#mostOfRun - valueBytes - (this.#coming.get(run) ?? 0));
  }

  #count({ run, payer }: BoxRow, bytes: number): void {
    const sum = (this.#coming.get(run) ?? 0) + bytes;
    if (sum === 0) this.#coming.delete(run);
    else this.#coming.set(run, sum);
    this.room.hold(payer, { valueBytes: bytes });
  }

  /** Passes on what there is room for, and counts it until the value is here. @throws FailureError `too-large`, `not-found` to who reads. */
  #counted(run: Cid, coming: { bytes: number }): TransformStream<Uint8Array, Uint8Array> {
    return new TransformStream({
      transform: (chunk, to) => {
        const box = this.#mail.box(run);
        if (box === undefined) throw gone();
        const room = Math.min(
          this.#most(box),
          this.room.left(box.payer, "valueBytes"),
          MAX_TASK_BYTES - coming.bytes,
        );
        if (chunk.length > room) throw tooLarge(room);
        coming.bytes += chunk.length;
        this.#count(box, chunk.length);
        to.enqueue(chunk);
      },
    });
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

function gone(): FailureError {
  return new FailureError("not-found", "what was kept of this run is gone");
}

function tooLarge(room: number): FailureError {
  return new FailureError("too-large", `there is room for ${room} bytes more of values of this run`);
}
