/* oxlint-disable no-await-in-loop -- the order of the steps is what is tested */
import { webcrypto } from "node:crypto";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { toHex } from "../protocol/bytes.ts";
import { signCheckpoint } from "../protocol/checkpoint.ts";
import { verifierOf } from "../protocol/ed25519.ts";
import { failureKind, type FailureName } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import { leafHash, MerkleTree } from "../protocol/merkle.ts";
import type { Inclusion } from "../protocol/messages/receipt.ts";
import { keyFromPeerId } from "../protocol/peer-id.ts";
import { rotationMessage } from "../protocol/rotation.ts";
import type { Signer } from "../protocol/signature.ts";
import { type Cast, makeCast, ORIGIN, START } from "../protocol/vectors/cast.contract.ts";
import { entryOf } from "../protocol/vectors/story.contract.ts";
import { createLogView, ForgedCheckpointError, type LogView, type LogViewOptions } from "./log-view.ts";

const verify = verifierOf(webcrypto.subtle);
let cast: Cast;
beforeAll(async () => {
  cast = await makeCast();
});

function dataOf(history: string, index: number): Uint8Array {
  return Uint8Array.from(Buffer.from(`${history} ${index}`));
}

/** A relay's log with `common` entries that all histories share, and then some of its own. */
class TestLog {
  readonly tree = new MerkleTree();
  readonly data: Uint8Array[] = [];
  signer: Signer;

  constructor(signer: Signer, size: number, history = "true", common = size) {
    this.signer = signer;
    for (let i = 0; i < size; i += 1) this.append(dataOf(i < common ? "true" : history, i));
  }

  append(data: Uint8Array): void {
    this.data.push(data);
    this.tree.append(leafHash(data));
  }

  async note(size: number = this.tree.size, origin: string = ORIGIN): Promise<string> {
    return signCheckpoint(
      { origin, size, root: this.tree.root(size) },
      keyFromPeerId(this.signer.key),
      async (message) => this.signer.sign(message),
    );
  }

  async inclusion(index: number, size: number = this.tree.size): Promise<Inclusion> {
    return {
      index,
      leaf: leafHash(this.data[index]!),
      proof: this.tree.inclusionProof(index, size),
      checkpoint: await this.note(size),
    };
  }

  proof(from: number, to: number): readonly Uint8Array[] {
    if (to > this.tree.size) throw new FailureError("not-found", "no such size");
    return this.tree.consistencyProof(from, to);
  }
}

interface Viewing {
  readonly view: LogView;
  readonly remembered: string[];
  readonly asked: (readonly [number, number])[];
  /** The log the relay shows from now on. */
  readonly show: (log: TestLog) => void;
}

function viewOf(first: TestLog, trusted?: LogViewOptions["trusted"]): Viewing {
  let shown = first;
  const remembered: string[] = [];
  const asked: (readonly [number, number])[] = [];
  const view = createLogView({
    origin: ORIGIN,
    trusted: trusted ?? { logKey: cast.log.key },
    fetchCheckpoint: async () => shown.note(),
    fetchConsistency: async (from, to) => {
      asked.push([from, to]);
      return shown.proof(from, to);
    },
    verify,
    remember: async (note) => {
      remembered.push(note);
    },
  });
  return {
    view,
    remembered,
    asked,
    show: (log) => {
      shown = log;
    },
  };
}

async function failureOf(step: Promise<unknown>): Promise<FailureError> {
  const error: unknown = await step.then(
    () => new Error("it was accepted"),
    (thrown: unknown) => thrown,
  );
  if (error instanceof FailureError) return error;
  throw error;
}

async function expectFailure(step: Promise<unknown>, name: FailureName): Promise<FailureError> {
  const failure = await failureOf(step);
  expect(failureKind(failure.code).name, failure.message).toBe(name);
  return failure;
}

describe("A view of the log", () => {
  test("believes the first note signed under the pinned key and remembers it", async () => {
    const log = new TestLog(cast.log, 3);
    const { view, remembered } = viewOf(log);
    expect(view.head()).toBeUndefined();
    const head = await view.refresh();
    expect([head.size, toHex(head.root)]).toEqual([3, toHex(log.tree.root())]);
    expect(remembered).toEqual([await log.note()]);
  });

  test("follows a log that grows, from the note it remembered", async () => {
    const log = new TestLog(cast.log, 9);
    const { view, asked } = viewOf(log, { logKey: cast.log.key, checkpoint: await log.note(4) });
    expect(view.head()?.size).toBe(4);
    expect((await view.refresh()).size).toBe(9);
    expect(asked).toEqual([[4, 9]]);
  });

  test("grows from an empty log without a proof, and refuses an empty log with a root", async () => {
    const log = new TestLog(cast.log, 2);
    const { view, asked } = viewOf(log, { logKey: cast.log.key, checkpoint: await log.note(0) });
    expect((await view.refresh()).size).toBe(2);
    expect(asked).toEqual([]);
    const rooted = await signCheckpoint(
      { origin: ORIGIN, size: 0, root: new Uint8Array(32) },
      keyFromPeerId(cast.log.key),
      async (message) => cast.log.sign(message),
    );
    await expectFailure(view.observe(rooted), "bad-signature");
  });

  test("never shrinks, but takes an older note of the same history in its stride", async () => {
    const log = new TestLog(cast.log, 8);
    const { view, remembered } = viewOf(log);
    await view.refresh();
    await view.observe(await log.note(5));
    expect(view.head()?.size).toBe(8);
    expect(remembered).toHaveLength(1);
  });

  test("finds two roots for one size, and keeps both notes as evidence", async () => {
    const log = new TestLog(cast.log, 6);
    const fork = new TestLog(cast.log, 6, "other", 5);
    const { view } = viewOf(log);
    await view.refresh();
    const failure = await expectFailure(view.observe(await fork.note()), "forged-checkpoint");
    expect(failure).toBeInstanceOf(ForgedCheckpointError);
    if (failure instanceof ForgedCheckpointError) {
      expect(failure.evidence).toEqual([await log.note(), await fork.note()]);
    }
    expect(toHex(view.head()!.root)).toBe(toHex(log.tree.root()));
  });

  test("finds every rewritten history, whichever log answers for the proof", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 0, max: 20 }),
        fc.integer({ min: 1, max: 20 }),
        fc.boolean(),
        async (size, common, forkSize, byFork) => {
          const shared = Math.min(common, size - 1, forkSize - 1);
          const log = new TestLog(cast.log, size);
          const fork = new TestLog(cast.log, forkSize, "other", shared);
          const { view, show } = viewOf(log);
          await view.refresh();
          if (byFork) show(fork);
          await expectFailure(view.observe(await fork.note()), "forged-checkpoint");
          expect(view.head()?.size).toBe(size);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("calls a relay that lost what it had signed by its name", async () => {
    const log = new TestLog(cast.log, 8);
    const { view, show } = viewOf(log);
    await view.refresh();
    show(new TestLog(cast.log, 5));
    const failure = await expectFailure(view.refresh(), "forged-checkpoint");
    expect(failure).toBeInstanceOf(ForgedCheckpointError);
  });

  test("passes on that the relay cannot be reached, and accuses nobody", async () => {
    const log = new TestLog(cast.log, 8);
    const view = createLogView({
      origin: ORIGIN,
      trusted: { logKey: cast.log.key, checkpoint: await log.note(3) },
      fetchCheckpoint: async () => log.note(),
      fetchConsistency: async () => {
        throw new FailureError("unreachable", "offline");
      },
      verify,
      remember: async () => undefined,
    });
    await expectFailure(view.refresh(), "unreachable");
    expect(view.head()?.size).toBe(3);
  });

  test("does not believe what it could not remember", async () => {
    const log = new TestLog(cast.log, 8);
    const view = createLogView({
      origin: ORIGIN,
      trusted: { logKey: cast.log.key },
      fetchCheckpoint: async () => log.note(),
      fetchConsistency: async (from, to) => log.proof(from, to),
      verify,
      remember: async () => {
        throw new Error("the disk is full");
      },
    });
    await expect(view.refresh()).rejects.toThrow("the disk is full");
    expect(view.head()).toBeUndefined();
  });

  test("refuses a note under another key or of another log", async () => {
    const { view, show } = viewOf(new TestLog(cast.draw, 3));
    await expectFailure(view.refresh(), "forged-checkpoint");
    const log = new TestLog(cast.log, 3);
    show(log);
    await expectFailure(view.observe(await log.note(3, "relay.example/other")), "bad-signature");
    await expectFailure(view.observe("hello"), "bad-signature");
    expect(view.head()).toBeUndefined();
  });

  test("keeps the order of calls that overlap, however long the relay takes for each", async () => {
    const log = new TestLog(cast.log, 12);
    const slow = Promise.withResolvers<void>();
    const view = createLogView({
      origin: ORIGIN,
      trusted: { logKey: cast.log.key, checkpoint: await log.note(4) },
      fetchCheckpoint: async () => log.note(),
      fetchConsistency: async (from, to) => {
        if (to === 8) await slow.promise;
        return log.proof(from, to);
      },
      verify,
      remember: async () => undefined,
    });
    const first = view.observe(await log.note(8));
    const second = view.observe(await log.note(12));
    setTimeout(slow.resolve, 50);
    await Promise.all([first, second]);
    expect(view.head()?.size).toBe(12);
  });
});

describe("Inclusion", () => {
  test("holds for every entry, in its own and in later trees, and moves the head forward", async () => {
    const log = new TestLog(cast.log, 11);
    for (let index = 0; index < 11; index += 1) {
      const { view } = viewOf(log, { logKey: cast.log.key, checkpoint: await log.note(6) });
      const size = Math.max(index + 1, 8);
      await view.checkInclusion(await log.inclusion(index, size), log.data[index]!);
      expect(view.head()?.size).toBe(size);
    }
  });

  test("in many old trees asks for each of them once", async () => {
    const log = new TestLog(cast.log, 11);
    const { view, asked } = viewOf(log);
    await view.refresh();
    for (const index of [0, 1, 2, 0, 1, 2]) {
      await view.checkInclusion(await log.inclusion(index, 5), log.data[index]!);
    }
    expect(asked).toEqual([[5, 11]]);
  });

  test("is refused for other bytes, another place, another proof", async () => {
    const log = new TestLog(cast.log, 11);
    const { view } = viewOf(log);
    const good = await log.inclusion(4);
    const data = log.data[4]!;
    await expectFailure(view.checkInclusion(good, log.data[5]!), "forged-checkpoint");
    await expectFailure(view.checkInclusion({ ...good, index: 5 }, data), "forged-checkpoint");
    await expectFailure(
      view.checkInclusion({ ...good, proof: good.proof.slice(1) }, data),
      "forged-checkpoint",
    );
    await expectFailure(
      view.checkInclusion({ ...good, leaf: leafHash(log.data[5]!) }, log.data[5]!),
      "forged-checkpoint",
    );
    expect(view.head()).toBeUndefined();
  });

  test("in a tree that is signed but not of the history that is believed is refused", async () => {
    const log = new TestLog(cast.log, 11);
    const fork = new TestLog(cast.log, 13, "other", 9);
    const { view } = viewOf(log);
    await view.refresh();
    const failure = await expectFailure(
      view.checkInclusion(await fork.inclusion(10), fork.data[10]!),
      "forged-checkpoint",
    );
    expect(failure).toBeInstanceOf(ForgedCheckpointError);
  });
});

async function rotation(
  from: Signer,
  to: Signer,
  signer: Signer = from,
  origin = ORIGIN,
): Promise<Uint8Array> {
  return entryOf("key-rotate", START, {
    purpose: "log",
    previous: from.key,
    next: to.key,
    proof: await signer.sign(rotationMessage(origin, "log", to.key)),
  });
}

describe("A rotated log key", () => {
  test("is accepted through the chain of signatures, from anywhere in it", async () => {
    const chain = [await rotation(cast.log, cast.nextLog), await rotation(cast.nextLog, cast.auditor)];
    for (const logKey of [cast.log.key, cast.nextLog.key, cast.auditor.key]) {
      const log = new TestLog(cast.auditor, 5);
      const { view } = viewOf(log, { logKey });
      expect(await view.rotate(chain)).toBe(cast.auditor.key);
      expect((await view.refresh()).size).toBe(5);
    }
  });

  test("is not accepted without its entry, or with a link missing", async () => {
    const log = new TestLog(cast.auditor, 5);
    const { view } = viewOf(log);
    await expectFailure(view.refresh(), "forged-checkpoint");
    expect(await view.rotate([await rotation(cast.nextLog, cast.auditor)])).toBe(cast.log.key);
    await expectFailure(view.refresh(), "forged-checkpoint");
  });

  test("is not accepted when the old key has not signed, or signed for another log or another of its keys", async () => {
    const { view } = viewOf(new TestLog(cast.nextLog, 5));
    await expectFailure(
      view.rotate([await rotation(cast.log, cast.nextLog, cast.nextLog)]),
      "forged-checkpoint",
    );
    await expectFailure(
      view.rotate([await rotation(cast.log, cast.nextLog, cast.log, "relay.example/other")]),
      "forged-checkpoint",
    );
    const otherPurpose = await cast.log.sign(rotationMessage(ORIGIN, "lease", cast.nextLog.key));
    const entry = entryOf("key-rotate", START, {
      purpose: "log",
      previous: cast.log.key,
      next: cast.nextLog.key,
      proof: otherPurpose,
    });
    await expectFailure(view.rotate([entry]), "forged-checkpoint");
    await expectFailure(view.rotate([Uint8Array.of(1)]), "malformed");
    expect(view.key()).toBe(cast.log.key);
  });

  test("of another purpose leaves the log key as it is", async () => {
    const { view } = viewOf(new TestLog(cast.log, 5));
    const entry = entryOf("key-rotate", START, {
      purpose: "lease",
      previous: cast.log.key,
      next: cast.nextLog.key,
      proof: await cast.log.sign(rotationMessage(ORIGIN, "lease", cast.nextLog.key)),
    });
    expect(await view.rotate([entry])).toBe(cast.log.key);
  });

  test("leaves old notes good for what they proved, but not for anything newer", async () => {
    const log = new TestLog(cast.log, 12);
    const old = await log.inclusion(3, 6);
    const later = await log.inclusion(10, 11);
    log.signer = cast.nextLog;
    const { view } = viewOf(log);
    await view.rotate([await rotation(cast.log, cast.nextLog)]);
    await view.checkInclusion(old, log.data[3]!);
    await view.checkInclusion(later, log.data[10]!);
    expect(view.head()?.size).toBe(12);
    log.signer = cast.log;
    await expectFailure(view.refresh(), "forged-checkpoint");
    const stolen = new TestLog(cast.log, 15);
    await expectFailure(
      view.checkInclusion(await stolen.inclusion(14), stolen.data[14]!),
      "forged-checkpoint",
    );
    expect(view.head()?.size).toBe(12);
  });

  test("lets a thief of the old key show nothing beyond what the relay shows, not even the truth", async () => {
    const log = new TestLog(cast.log, 15);
    const ahead = await log.inclusion(14);
    log.signer = cast.nextLog;
    const note = await log.note(12);
    const view = createLogView({
      origin: ORIGIN,
      trusted: { logKey: cast.log.key },
      fetchCheckpoint: async () => note,
      fetchConsistency: async (from, to) => log.proof(from, to),
      verify,
      remember: async () => undefined,
    });
    await view.rotate([await rotation(cast.log, cast.nextLog)]);
    await expectFailure(view.checkInclusion(ahead, log.data[14]!), "forged-checkpoint");
    expect(view.head()?.size).toBe(12);
  });
});
