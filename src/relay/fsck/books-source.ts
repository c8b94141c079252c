import { rowProblems } from "../books/check-books.ts";
import { readSqliteStore } from "../store/sqlite-store.ts";
import type { LogSource } from "./log-source.ts";
import { StoredLevel, treeProblems } from "./tree-problems.ts";

const READ_AT_ONCE = 512;

/**
 * A relay's own books, as they are on the disk. Nothing is written.
 * @param path the database file.
 * @throws RangeError when it is of another version, an error of SQLite when it is none or a relay runs on it.
 */
export function openBooksFile(path: string): LogSource {
  const store = readSqliteStore(path);
  const head = store.head();
  if (head === undefined) {
    store.close();
    throw new RangeError(`${path} holds no log`);
  }
  const leaves = new StoredLevel(store, 0);
  return {
    place: path,
    head,
    // oxlint-disable-next-line require-await -- other sources wait
    async *entries() {
      for (let first = 0; first < head.size;) {
        const entries = store.entries(first, Math.min(READ_AT_ONCE, head.size - first));
        if (entries.length === 0) throw new RangeError(`entry ${first} is missing`);
        yield entries;
        first += entries.length;
      }
    },
    storedLeaf: (index) => leaves.at(index),
    *problemsBeside(replay) {
      if (store.entry(head.size) !== undefined) yield "there are entries beyond the head";
      yield* treeProblems(store, head.size);
      yield* rowProblems(store, replay);
    },
    close: () => store.close(),
  };
}
