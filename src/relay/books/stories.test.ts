import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import type { Verified } from "../../protocol/envelope.ts";
import { FailureError } from "../../protocol/failure.ts";
import { failureCode } from "../../protocol/failure-code.ts";
import { type Assign, assignMessage } from "../../protocol/messages/assign.ts";
import type { Job } from "../../protocol/messages/job.ts";
import type { Run } from "../../protocol/messages/run.ts";
import type { Signer } from "../../protocol/signature.ts";
import { microCredits } from "../../protocol/units.ts";
import { openSqliteStore } from "../store/sqlite-store.ts";
import {
  cancelOf,
  closeOf,
  GRANT,
  HEAD,
  LeaseWork,
  openScene,
  type Scene,
  signedJob,
  signedLease,
  signerOf,
  verifiedMessage,
} from "./books-scene.contract.ts";
import { checkBooks } from "./check-books.ts";
import { openBooks } from "./open-books.ts";
import { endOf, holdersOf, signedRun, stepJob } from "./run-scene.contract.ts";

const folder = mkdtempSync(join(tmpdir(), "tabmesh-stories-"));
let stories = 0;

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const KINDS = [
  "job",
  "lease",
  "lease",
  "work",
  "work",
  "report",
  "report",
  "replay",
  "cancel",
  "close",
  "time",
  "assign",
  "run",
  "step",
  "step",
  "end",
] as const;

interface Step {
  readonly kind: (typeof KINDS)[number];
  readonly which: number;
  readonly amount: number;
  /** Waits for what was begun, so that what follows is in another commit. */
  readonly pause: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(...KINDS),
  which: fc.nat(100),
  amount: fc.integer({ min: 1, max: 3_000 }),
  pause: fc.boolean(),
});

/** A story in which a step of a run is worked for, and a part of its pay goes to the owner: no chance leaves these out. */
const PAID: readonly Step[] = (
  [
    ["run", 0, 3_000],
    ["step", 0, 3_000],
    ["assign", 3, 3_000],
    ["lease", 0, 3_000],
    ["work", 0, 9],
    ["report", 0, 1],
  ] as const
).map(([kind, which, amount]) => ({ kind, which, amount, pause: true }));

/** Gets parts of what others earn, and never works. */
const OWNER = signerOf("owner");
/** Coordinates runs of the requester besides it. */
const HOLDER = signerOf("holder");
const PROVIDERS = ["ada", "bob", "eve"].map((name) => signerOf(name));

interface Working {
  readonly work: LeaseWork;
  readonly provider: Signer;
}

/** What a run of requests at the books did. Refusals are part of the story; faults of the relay are not. */
class Story {
  readonly scene: Scene;
  readonly #jobs: { readonly job: Verified<Job>; readonly index: number; readonly by: Signer }[] = [];
  readonly #runs: Verified<Run>[] = [];
  #turns = 0;
  readonly #works: Working[] = [];
  readonly #reports: Uint8Array[] = [];
  readonly #begun: Promise<unknown>[] = [];

  constructor(scene: Scene) {
    this.scene = scene;
  }

  #begin(attempt: Promise<unknown>): void {
    this.#begun.push(
      attempt.then(
        () => true,
        (error: unknown) => {
          if (!(error instanceof FailureError) || error.code === failureCode("relay-fault")) throw error;
        },
      ),
    );
  }

  async settled(): Promise<void> {
    await Promise.all(this.#begun.splice(0));
  }

  async take({ kind, which, amount, pause }: Step): Promise<void> {
    const { scene } = this;
    const { books, clock } = scene;
    const job = this.#jobs[which % Math.max(1, this.#jobs.length)];
    const lease = this.#works[which % Math.max(1, this.#works.length)];
    if (kind === "job") {
      const signed = await signedJob(scene, { cap: microCredits(amount * 100) });
      const by = scene.requester;
      this.#begin(books.openJob(signed).then(({ index }) => this.#jobs.push({ job: signed, index, by })));
    } else if (kind === "time") clock.now += which * amount * 10;
    else if (kind === "replay") {
      const report = this.#reports[which % Math.max(1, this.#reports.length)];
      if (report !== undefined) this.#begin(books.report(report));
    } else if (kind === "lease" && job !== undefined) await this.#lease(job, which, amount);
    else if (kind === "close" && job !== undefined && which % 4 === 0)
      this.#begin(books.closeJob(await closeOf(scene, job.job.id)));
    else if (kind === "work") lease?.work.go(amount % 10, (amount % 10) + (which % 3));
    else if (kind === "cancel" && lease !== undefined && which % 4 === 0)
      this.#begin(books.cancelLease(await cancelOf(scene, lease.work.lease.id)));
    else if (kind === "report" && lease !== undefined) await this.#report(lease, which);
    else if (kind === "assign") await this.#assign(which, amount);
    else if (kind === "run") await this.#run(amount);
    else if (kind === "step") await this.#step(which, amount);
    else if (kind === "end" && which % 4 === 0) await this.#end(which);
    if (pause) await this.settled();
    this.#begin(books.settleDue());
  }

  async #run(amount: number): Promise<void> {
    const { scene } = this;
    const run = await signedRun(scene, { budget: microCredits(amount * 50) });
    this.#runs.push(run);
    this.#begin(scene.books.runs.register(run));
    this.#begin(scene.books.runs.setHolders(await holdersOf(scene, run.id, 1, [HOLDER])));
  }

  /** Two coordinators open jobs for the same three nodes; a third of the time the other one counts as silent. */
  async #step(which: number, amount: number): Promise<void> {
    const run = this.#runs[which % Math.max(1, this.#runs.length)];
    if (run === undefined) return;
    this.#turns += 1;
    const by = which % 2 === 0 ? this.scene.requester : HOLDER;
    const cap = { cap: microCredits(amount * 20) };
    const job = await stepJob(this.scene, run, `node${which % 3}`, this.#turns, cap, by);
    const opening = this.scene.books.openJob(job, () => which % 3 === 0);
    this.#begin(opening.then(({ index }) => this.#jobs.push({ job, index, by })));
  }

  async #end(which: number): Promise<void> {
    const run = this.#runs[which % Math.max(1, this.#runs.length)];
    if (run !== undefined) this.#begin(this.scene.books.runs.end(await endOf(run.id, HOLDER)));
  }

  async #lease(
    { job, index, by }: { readonly job: Verified<Job>; readonly index: number; readonly by: Signer },
    which: number,
    amount: number,
  ): Promise<void> {
    const provider = PROVIDERS[which % PROVIDERS.length]!;
    const terms = {
      provider: provider.key,
      instance: provider.key,
      budget: microCredits(amount),
      replica: which,
    };
    const lease = await signedLease(this.scene, job, index, terms);
    const work = new LeaseWork(this.scene, job, lease, by);
    this.#begin(this.scene.books.addLease(lease).then(() => this.#works.push({ work, provider })));
  }

  /** Of all that is done here, three in four assign a part to the owner, the others to somebody who works. */
  async #assign(which: number, amount: number): Promise<void> {
    const { books, clock } = this.scene;
    const account = PROVIDERS[which % PROVIDERS.length]!;
    const payee = which % 4 === 0 ? PROVIDERS[(which + 1) % PROVIDERS.length]! : OWNER;
    const body: Assign = {
      ...HEAD,
      account: account.key,
      payee: payee.key,
      ppm: (amount * 333) % 1_000_001,
      sweep: which % 3 === 0,
      at: clock.now + (which % 7),
    };
    this.#begin(books.sites.assign(await verifiedMessage(assignMessage, body, [account])));
  }

  async #report({ work, provider }: Working, which: number): Promise<void> {
    const close = which % 5 === 0;
    const report = await work.report({
      provider,
      advance: { close },
      receipt: { final: close && which % 2 === 0 },
    });
    const { size } = work.outcomes;
    this.#reports.push(report);
    this.#begin(this.scene.books.report(report).then(() => (work.logged = Math.max(work.logged, size))));
  }

  /** Lets all time pass: what is left open ends. */
  async end(): Promise<void> {
    await this.settled();
    for (let i = 0; i < 3; i += 1) {
      this.scene.clock.now += 100_000_000;
      // oxlint-disable-next-line no-await-in-loop -- leases first, then their jobs
      await this.scene.books.settleDue();
    }
  }
}

describe("any story of jobs, runs, leases, reports, replays, assignments and lapses of time", () => {
  it(
    "ends with every micro-credit where the log says, the same after a restart, and nothing left in escrow",
    { timeout: 120_000 },
    async () => {
      let accepted = 0;
      let passed = 0n;
      let inRuns = 0n;
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 70 }), async (steps) => {
          stories += 1;
          const path = join(folder, `${stories}.sqlite`);
          const scene = await openScene(path);
          const story = new Story(scene);
          for (const each of steps) {
            // oxlint-disable-next-line no-await-in-loop -- a story has an order
            await story.take(each);
          }
          await story.settled();
          scene.books.close();
          const between = openSqliteStore(path);
          expect(checkBooks(between)).toEqual([]);
          between.close();
          const books = await openBooks(scene.options);
          const after = new Story({ ...scene, books });
          await after.end();
          const parties = [scene.requester, OWNER, ...PROVIDERS].map(({ key }) => books.account(key));
          for (const { escrowed, pending } of parties) expect(escrowed + pending).toBe(0n);
          expect(parties.reduce((sum, { available }) => sum + available, 0n)).toBe(GRANT);
          books.close();
          const last = openSqliteStore(path);
          expect(checkBooks(last)).toEqual([]);
          for (const { state, newest } of last.everything().leases) {
            expect(state).toBe("settled");
            if (newest !== undefined && newest.amount > 0n) accepted += 1;
          }
          for (const { state } of last.everything().jobs) expect(state).toBe("closed");
          for (const { id, budget, charged } of last.runs.everything().runs) {
            expect(charged).toBeLessThanOrEqual(budget);
            expect(last.runs.spent(id)).toBe(charged);
            inRuns += charged;
          }
          passed += last.sites.received(OWNER.key);
          last.close();
        }),
        { numRuns: Number(process.env["TABMESH_STORIES"] ?? 25), examples: [[[...PAID]]] },
      );
      expect(accepted).toBeGreaterThan(0);
      expect(passed).toBeGreaterThan(0n);
      expect(inRuns).toBeGreaterThan(0n);
    },
  );
});
