/** Words of the memory that threads meet on. */
const ARRIVED = 0;
const ROUND = 1;
export const MEETING_WORDS = 2;

/** Looks at the round before sleeping: a few microseconds, less than falling asleep and being woken takes. */
const LOOKS = 2_000;
/** A thread that has not come by now never will: it has failed, or its page is frozen. */
const LATE_MS = 60_000;

/**
 * A place where threads wait for each other, once and again.
 * @param words i32[MEETING_WORDS], zeros, the same memory in all threads @param parts number of threads
 * @returns what each calls; it blocks, so never in a window. It throws where another thread does not come
 */
export function createMeeting(words: Int32Array, parts: number): () => void {
  return () => {
    const round = Atomics.load(words, ROUND);
    if (Atomics.add(words, ARRIVED, 1) + 1 === parts) {
      Atomics.store(words, ARRIVED, 0);
      Atomics.add(words, ROUND, 1);
      Atomics.notify(words, ROUND);
      return;
    }
    for (let look = 0; look < LOOKS; look += 1) if (Atomics.load(words, ROUND) !== round) return;
    if (Atomics.wait(words, ROUND, round, LATE_MS) === "timed-out")
      throw new Error("a thread of the model does not answer");
  };
}
