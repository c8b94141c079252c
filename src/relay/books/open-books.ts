import { type AuditPolicy, auditPolicySchema } from "../../protocol/audit-policy.ts";
import { equalBytes } from "../../protocol/bytes.ts";
import { cidOf, RAW } from "../../protocol/cid.ts";
import { testAsset } from "../../protocol/header.ts";
import { EMPTY_ROOT } from "../../protocol/merkle.ts";
import type { RelayKeys } from "../../protocol/messages/entry.ts";
import { encode } from "../../protocol/schema.ts";
import { type Tariff, tariffCid } from "../../protocol/tariff.ts";
import type { Books } from "../books.ts";
import { openSqliteStore } from "../store/sqlite-store.ts";
import { CommitQueue } from "./commit-queue.ts";
import { Committed } from "./committed.ts";
import type { Court } from "./judging.ts";
import { LedgerBooks } from "./ledger-books.ts";
import { LogTree } from "./log-tree.ts";
import { type RelayKey, relayKey } from "./native-keys.ts";
import { openEpoch } from "./epochs.ts";
import { announce } from "./rule-entries.ts";
import { Signatories } from "./signatories.ts";
import type { Policy } from "./standing.ts";

export interface BooksOptions {
  /** A file, or ":memory:". */
  readonly path: string;
  /** Name of the log, for good: no space, no plus. */
  readonly origin: string;
  /** The one kind of money, for good. Default: that of the log, or test credits in a new one. */
  readonly asset?: string;
  /** 32 bytes for each of the relay's keys; after a rotation, those of the new ones. */
  readonly seeds: { readonly [K in keyof RelayKeys]: Uint8Array };
  /** Milliseconds since 1970. Log time follows it and never goes back. */
  readonly clock: () => number;
  readonly tariff: Tariff;
  /** The policy's text; leases and receipts name it by CID. */
  readonly policyDocument: Uint8Array;
  /** Default: nothing is audited, and pay is free at settlement. */
  readonly audit?: AuditPolicy;
}

function requireKeys(policy: Policy, keys: Record<keyof RelayKeys, RelayKey>): void {
  for (const purpose of ["log", "lease", "draw"] as const) {
    if (policy.keys[purpose] !== keys[purpose].peer)
      throw new RangeError(`the ${purpose} key given is not the one in force, ${policy.keys[purpose]}`);
  }
}

function isSameAudit(a: AuditPolicy | undefined, b: AuditPolicy | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return equalBytes(encode(auditPolicySchema, a), encode(auditPolicySchema, b));
}

function isAnnounced(standing: Policy | undefined, policy: Policy): boolean {
  return (
    standing?.policy === policy.policy &&
    tariffCid(standing.tariff) === tariffCid(policy.tariff) &&
    isSameAudit(standing.audit, policy.audit)
  );
}

/** Leases name the version, so one version cannot stand for two sets of numbers. */
function requireNewVersion(standing: AuditPolicy | undefined, policy: AuditPolicy | undefined): void {
  if (standing === undefined || policy === undefined || isSameAudit(standing, policy)) return;
  if (policy.version <= standing.version)
    throw new RangeError(
      `the numbers of audits have changed: their version has to be above ${standing.version}, not ${policy.version}`,
    );
}

/**
 * Opens the relay's books, and on a new file begins the log: policy, then the first epoch. A changed tariff or policy
 * document becomes a new policy entry.
 * @throws RangeError when the keys are not those in force or the stored log contradicts itself; an error of SQLite when
 * the file is in use.
 */
export async function openBooks(options: BooksOptions): Promise<Books> {
  const { origin, clock, seeds, tariff, policyDocument } = options;
  const keys = { log: relayKey(seeds.log), lease: relayKey(seeds.lease), draw: relayKey(seeds.draw) };
  const store = openSqliteStore(options.path);
  try {
    const committed = new Committed(store);
    const head = store.head();
    const tree = new LogTree(
      (level, index) => store.nodes(level, index),
      head?.size ?? 0,
      head?.root ?? EMPTY_ROOT,
    );
    const queue = new CommitQueue({ origin, clock, store, committed, tree, logKey: () => keys.log });
    const { names } = committed;
    const asset = options.asset ?? names?.asset ?? testAsset(origin);
    if (names !== undefined && names.origin !== origin)
      throw new RangeError(`the file holds the log ${names.origin}`);
    if (names !== undefined && names.asset !== asset)
      throw new RangeError(
        `this relay's credits are ${names.asset} and cannot become ${asset}: its log says so`,
      );
    const court: Court = {
      origin,
      asset,
      signatories: new Signatories(),
      drawKey: () => keys.draw,
    };
    if (committed.policy !== undefined) requireKeys(committed.policy, keys);
    const policy: Policy = {
      keys: { log: keys.log.peer, lease: keys.lease.peer, draw: keys.draw.peer },
      tariff,
      policy: cidOf(RAW, policyDocument),
      ...(options.audit === undefined ? {} : { audit: options.audit }),
    };
    requireNewVersion(committed.policy?.audit, policy.audit);
    if (!isAnnounced(committed.policy, policy)) {
      await queue.submit((draft) => {
        const isNew = draft.size === 0;
        announce(court, draft, policy);
        if (isNew) openEpoch(draft, 0);
        return () => {};
      });
    }
    queue.checkpoint();
    return new LedgerBooks({ court, store, committed, tree, queue, keys, clock });
  } catch (error) {
    store.close();
    throw error;
  }
}
