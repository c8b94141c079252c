import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { DEFAULT_AUDIT_POLICY, PPM } from "../../protocol/audit-policy.ts";
import { readBody } from "../../protocol/envelope.ts";
import { failureCode } from "../../protocol/failure-code.ts";
import { FailureError } from "../../protocol/failure.ts";
import { type Assign, assignMessage } from "../../protocol/messages/assign.ts";
import {
  type Draw,
  drawMessage,
  retireMessage,
  type Verdict,
  verdictMessage,
} from "../../protocol/messages/audit.ts";
import { siteMessage } from "../../protocol/messages/site.ts";
import type { Signer } from "../../protocol/signature.ts";
import { ownersPpm, siteId } from "../../protocol/site.ts";
import { fuel, microCredits } from "../../protocol/units.ts";
import { openSqliteStore } from "../store/sqlite-store.ts";
import {
  GRANT,
  HEAD,
  openLease,
  openScene,
  type Scene,
  signerOf,
  verifiedMessage,
} from "./books-scene.contract.ts";
import { checkBooks } from "./check-books.ts";
import { openBooks } from "./open-books.ts";

const HOUR = 3_600_000;
const POLICY = {
  ...DEFAULT_AUDIT_POLICY,
  bondTasks: 3,
  holdTasks: 2,
  holdMs: HOUR,
  leaseFee: microCredits(3),
};
const PAGE = "https://news.example";
const OWNER = signerOf("owner");
const VISITORS = ["ana", "bea", "cleo"].map((name) => signerOf(name));
const SHARES = [0, 1, 333_333, 500_000, 999_999, PPM];

const folder = mkdtempSync(join(tmpdir(), "tabmesh-divided-"));
let stories = 0;
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const step = fc.record({
  kind: fc.constantFrom(
    "work",
    "work",
    "work",
    "lie",
    "assign",
    "claim",
    "retire",
    "share",
    "time",
    "restart",
  ),
  who: fc.nat(VISITORS.length - 1),
  tasks: fc.integer({ min: 1, max: 9 }),
  share: fc.nat(SHARES.length - 1),
  hours: fc.integer({ min: 1, max: 5 }),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** A story in which a visitor's pay goes to the owner, one retires, and a liar's bond is burnt: no chance leaves these out. */
const DIVIDED: readonly Step[] = (
  [
    ["assign", 0],
    ["work", 0],
    ["time", 0],
    ["work", 0],
    ["time", 0],
    ["retire", 0],
    ["time", 0],
    ["work", 1],
    ["lie", 1],
    ["lie", 1],
    ["lie", 1],
    ["time", 1],
  ] as const
).map(([kind, who]) => ({ kind, who, tasks: 9, share: 0, hours: 5 }));

/** Visitors of a site under audits: some lie, some come back, some claim what is theirs, some are never seen again. */
class Story {
  scene: Scene;
  #share = 0;

  constructor(scene: Scene) {
    this.scene = scene;
  }

  async take({ kind, who, tasks, share, hours }: Step): Promise<void> {
    const visitor = VISITORS[who] ?? OWNER;
    this.scene.clock.now += 1;
    if (kind === "work" || kind === "lie") await this.#work(visitor, tasks, kind === "lie");
    else if (kind === "assign") await this.#assign(visitor, { retireAfterMs: hours * HOUR });
    else if (kind === "claim") await this.#claim(visitor, VISITORS[(who + 1) % VISITORS.length] ?? OWNER);
    else if (kind === "retire") await this.#retire(visitor);
    else if (kind === "share") await this.register(SHARES[share] ?? 0);
    else if (kind === "restart") await this.#restart();
    else this.scene.clock.now += hours * HOUR;
    await this.scene.books.settleDue();
  }

  async register(share: number): Promise<void> {
    const { books, clock } = this.scene;
    const body = { ...HEAD, owner: OWNER.key, page: PAGE, share, state: "open", at: clock.now } as const;
    await books.sites.register(await verifiedMessage(siteMessage, body, [OWNER]));
    this.#share = share;
  }

  async #assign(by: Signer, changes: Partial<Assign>): Promise<void> {
    const { books, clock } = this.scene;
    const body = {
      ...HEAD,
      account: by.key,
      payee: OWNER.key,
      ppm: ownersPpm(this.#share),
      sweep: false,
      site: siteId(OWNER.key, PAGE),
      at: clock.now,
      ...changes,
    };
    await books.sites.assign(await verifiedMessage(assignMessage, body, [by]));
  }

  /** What is there goes over now, and all that comes later. */
  async #claim(by: Signer, payee: Signer): Promise<void> {
    const { books, clock } = this.scene;
    const body = { ...HEAD, account: by.key, payee: payee.key, ppm: PPM, sweep: true, at: clock.now };
    await books.sites.assign(await verifiedMessage(assignMessage, body, [by]));
  }

  async #retire(by: Signer): Promise<void> {
    const { books } = this.scene;
    await books.audits.retire(await verifiedMessage(retireMessage, { ...HEAD, account: by.key }, [by]));
  }

  async #work(by: Signer, tasks: number, isLie: boolean): Promise<void> {
    const terms = { provider: by.key, instance: by.key, policyVersion: POLICY.version };
    const { work } = await openLease(this.scene, {}, terms);
    const report = { provider: by, receipt: { final: true }, advance: { close: true } };
    const { draw } = await work.go(tasks).send(report);
    if (draw !== undefined) await this.#judge(readBody(drawMessage, draw), isLie);
  }

  async #judge({ lease, entryIndex, leaves }: Draw, isLie: boolean): Promise<void> {
    const { books } = this.scene;
    for (const [at, index] of leaves.entries()) {
      const body: Verdict = {
        ...HEAD,
        lease,
        entryIndex,
        index,
        result: isLie && at === leaves.length - 1 ? "mismatch" : "match",
        expected: new Uint8Array(32),
        found: new Uint8Array(32),
        fuel: fuel(0),
        profile: 1,
        engine: "a test",
        auditors: [],
      };
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await books.audits.judge(await verifiedMessage(verdictMessage, body, [books.signer("draw")]));
    }
  }

  async #restart(): Promise<void> {
    this.scene.books.close();
    this.scene = { ...this.scene, books: await openBooks(this.scene.options) };
  }
}

/** Refusals are part of a story; faults of the relay are not. */
async function tried(attempt: Promise<void>): Promise<boolean> {
  try {
    await attempt;
    return true;
  } catch (error) {
    if (error instanceof FailureError && error.code !== failureCode("relay-fault")) return false;
    throw error;
  }
}

async function tell(path: string, steps: readonly Step[]): Promise<Scene> {
  const story = new Story(await openScene(path, { audit: POLICY }));
  await story.register(500_000);
  for (const each of steps) {
    // oxlint-disable-next-line no-await-in-loop -- a story has an order
    await tried(story.take(each));
  }
  return story.scene;
}

describe("any story of a site's visitors under audits, with liars, claims and people who never come back", () => {
  it(
    "divides every micro-credit as was said, and the log alone says the same",
    { timeout: 120_000 },
    async () => {
      let passed = 0n;
      let retired = 0;
      let burnt = 0n;
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 15, maxLength: 45 }), async (steps) => {
          stories += 1;
          const path = join(folder, `${stories}.sqlite`);
          const scene = await tell(path, steps);
          const { books, requester } = scene;
          const sum = [requester, OWNER, ...VISITORS].reduce((total, { key }) => {
            const { available, pending, held, bond, escrowed } = books.account(key);
            return total + available + pending + held + bond + escrowed;
          }, 0n);
          books.close();
          const store = openSqliteStore(path);
          expect(checkBooks(store)).toEqual([]);
          expect(sum).toBe(store.issued());
          expect(sum).toBeLessThanOrEqual(GRANT);
          for (const each of store.sites.everything().assignments)
            expect(each.passed).toBe((each.earned * BigInt(each.ppm)) / BigInt(PPM));
          passed += store.sites.received(OWNER.key);
          retired += store.entriesOf("unbond").length;
          burnt += GRANT - sum;
          store.close();
        }),
        { numRuns: Number(process.env["TABMESH_STORIES"] ?? 12), examples: [[[...DIVIDED]]] },
      );
      expect(passed).toBeGreaterThan(0n);
      expect(retired).toBeGreaterThan(0);
      expect(burnt).toBeGreaterThan(0n);
    },
  );
});
