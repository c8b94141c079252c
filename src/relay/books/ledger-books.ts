import type { Cid } from "../../protocol/cid.ts";
import { openEnvelope, type Verified, verifiedSync } from "../../protocol/envelope.ts";
import { FailureError } from "../../protocol/failure.ts";
import type { RelayKeys } from "../../protocol/messages/entry.ts";
import type { ApiKey, ApiKeyRevoke } from "../../protocol/messages/api-key.ts";
import type { CloseJob, Job } from "../../protocol/messages/job.ts";
import { type Lease, leaseMessage } from "../../protocol/messages/lease.ts";
import type { Inclusion, ReportAnswer } from "../../protocol/messages/receipt.ts";
import type { KeyRevoke } from "../../protocol/messages/session.ts";
import type { Cancel } from "../../protocol/messages/task.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { AccountView, ApiKeyView, JobView, ReceiptView } from "../../protocol/relay-api.ts";
import type { Signer } from "../../protocol/signature.ts";
import type { MicroCredits } from "../../protocol/units.ts";
import type { AccountHistory } from "../account-history.ts";
import type { AuditBooks } from "../audit-books.ts";
import type { ApiKeyStanding, Books, Commit } from "../books.ts";
import type { IsSilent } from "../run-books.ts";
import type { BooksStore, Denial, DenialKind, KeptBytes } from "../store/books-store.ts";
import type { PublishedRows } from "../store/published-rows.ts";
import { addApiKey, revokeApiKey } from "./api-keys.ts";
import { addLease, requireLeasable } from "./add-lease.ts";
import { retireIdle } from "./assigning.ts";
import type { CommitQueue, Operation } from "./commit-queue.ts";
import type { Committed } from "./committed.ts";
import { Draft } from "./draft.ts";
import { cancelLease, closeJob } from "./ending.ts";
import { type Court, jobIn } from "./judging.ts";
import { LedgerPayouts } from "./ledger-payouts.ts";
import { LedgerRuns } from "./ledger-runs.ts";
import { LedgerSites } from "./ledger-sites.ts";
import { LedgerHistory } from "./history-views.ts";
import { Losses } from "./losses.ts";
import { MAX_SETTLED_AT_ONCE } from "./limits.ts";
import type { LogTree } from "./log-tree.ts";
import { plainBytes } from "./native-hash.ts";
import { type RelayKey, relayKey, verifyNative } from "./native-keys.ts";
import { openJob } from "./open-job.ts";
import { LedgerAudits, reportAnswer } from "./ledger-audits.ts";
import { releasable, releasePast } from "./releasing.ts";
import { logReport, type OpenedReport, openReport, verifyReport } from "./report.ts";
import { bar, grant, revokeKey, rotateKey } from "./rule-entries.ts";
import { settlePast } from "./settling.ts";
import type { Policy } from "./standing.ts";
import { accountView, apiKeyStanding, apiKeyViews, jobView, receiptViews, type ViewParts } from "./views.ts";

export interface LedgerBooksParts {
  readonly court: Court;
  readonly store: BooksStore;
  readonly committed: Committed;
  readonly tree: LogTree;
  readonly queue: CommitQueue;
  /** The relay's keys in force; `rotateKey` replaces them here. */
  readonly keys: Record<keyof RelayKeys, RelayKey>;
  readonly clock: () => number;
}

/** The books on a store. Every change is an operation on the queue; every question is answered from what is committed. */
export class LedgerBooks implements Books {
  readonly #parts: LedgerBooksParts;
  readonly #views: ViewParts;
  readonly origin: string;
  readonly asset: string;
  readonly published: PublishedRows;
  readonly kept: KeptBytes;
  readonly audits: AuditBooks;
  readonly payouts: LedgerPayouts;
  readonly sites: LedgerSites;
  readonly runs: LedgerRuns;
  readonly history: AccountHistory;

  constructor(parts: LedgerBooksParts) {
    this.#parts = parts;
    const { court, store } = parts;
    this.origin = court.origin;
    this.asset = court.asset;
    this.published = store;
    this.kept = store;
    this.audits = new LedgerAudits(parts, (index) => this.#prove(index));
    this.payouts = new LedgerPayouts(parts, (index) => this.#prove(index));
    this.sites = new LedgerSites(parts, (index) => this.#prove(index));
    this.runs = new LedgerRuns(parts, (index) => this.#prove(index));
    this.history = new LedgerHistory(store.history);
    const losses = new Losses(store);
    parts.queue.onCommit(({ entries }) => {
      for (const { index, type } of entries) if (type === "forfeit") losses.count(index);
    });
    this.#views = { asset: court.asset, store, committed: parts.committed, losses };
  }

  /** Log time of what is done now. */
  get #now(): number {
    const { clock, committed } = this.#parts;
    return Math.max(clock(), committed.time);
  }

  #policy(): Policy {
    const { policy } = this.#parts.committed;
    if (policy === undefined) throw new RangeError("the log has no policy yet");
    return policy;
  }

  get policy(): Cid {
    return this.#policy().policy;
  }

  keys(): RelayKeys {
    return this.#policy().keys;
  }

  signer(purpose: keyof RelayKeys): Signer {
    const key = this.#parts.keys[purpose];
    return { key: key.peer, sign: async (message) => key.sign(message) };
  }

  async #submit<T>(operation: Operation<T>): Promise<T> {
    return this.#parts.queue.submit(operation);
  }

  /** Does something that answers with an entry, and proves that. */
  async #logged(run: (draft: Draft) => number): Promise<Inclusion> {
    return this.#submit((draft) => {
      const index = run(draft);
      return () => this.#prove(index);
    });
  }

  async #ended(run: (draft: Draft) => Cid): Promise<JobView> {
    return this.#submit((draft) => {
      const id = run(draft);
      return () => this.#jobView(id);
    });
  }

  #jobView(id: Cid): JobView {
    const view = jobView(this.#views, id);
    if (view === undefined) throw new FailureError("not-found", `no job ${id}`);
    return view;
  }

  #prove(index: number): Inclusion {
    return inclusionOf(this.#parts, index);
  }

  async grant(account: PeerId, amount: MicroCredits, reference: string): Promise<Inclusion> {
    return this.#logged((draft) => grant(this.#parts.court, draft, account, amount, reference));
  }

  async openJob(job: Verified<Job>, isSilent?: IsSilent): Promise<Inclusion> {
    return this.#logged((draft) => openJob(this.#parts.court, draft, job, isSilent));
  }

  unbound(job: Cid): MicroCredits {
    return jobIn(this.#parts.committed, job).unbound;
  }

  requireLeasable(job: Cid): void {
    requireLeasable(new Draft(this.#parts.committed, this.#now), job);
  }

  async addLease(lease: Verified<Lease>): Promise<Inclusion> {
    const first = lease.body.prev === undefined ? undefined : this.#firstRevision(lease.body);
    return this.#logged((draft) => addLease(this.#parts.court, draft, lease, first));
  }

  /** The lease that a revision belongs to: the one of this job whose newest or present revision it names. */
  #firstRevision({ job, prev }: Lease): Cid | undefined {
    return this.#parts.store.leasesOf(job).find(({ id, revision }) => id === prev || revision === prev)?.id;
  }

  openLeases(job: Cid): readonly Verified<Lease>[] {
    const { store, committed } = this.#parts;
    return store
      .leasesOf(job)
      .filter(({ state }) => state === "open")
      .map(({ termsIndex }) =>
        verifiedSync(openEnvelope(leaseMessage, committed.leaseEnvelope(termsIndex)), verifyNative),
      );
  }

  async report(envelope: Uint8Array): Promise<ReportAnswer> {
    const { court, committed, queue } = this.#parts;
    let opened: OpenedReport | undefined;
    const open = (): OpenedReport => (opened ??= openReport(court, envelope));
    const verify = (): void => {
      const { receipt } = open();
      const newest = committed.lease(receipt.body.lease)?.newest;
      if (newest?.id !== receipt.id) verifyReport(open());
    };
    return queue.submit(
      (draft) => {
        const logged = logReport(court, draft, open());
        if (logged instanceof FailureError)
          return () => {
            throw logged;
          };
        return () => reportAnswer(this.#parts.store, this.#prove(logged));
      },
      [open, verify],
    );
  }

  async cancelLease(cancel: Verified<Cancel>): Promise<JobView> {
    return this.#ended((draft) => cancelLease(this.#parts.court, draft, cancel));
  }

  async closeJob(close: Verified<CloseJob>): Promise<JobView> {
    return this.#ended((draft) => closeJob(this.#parts.court, draft, close));
  }

  async settleDue(): Promise<number> {
    const { store, committed, clock } = this.#parts;
    const now = Math.max(clock(), committed.time);
    const due = store.due(now, MAX_SETTLED_AT_ONCE);
    const free = releasable(store.audits, this.#policy().audit, now);
    const idle = this.#policy().audit === undefined ? [] : store.sites.idle(now, MAX_SETTLED_AT_ONCE);
    const total =
      due.leases.length + due.jobs.length + free.leases.length + free.providers.length + idle.length;
    if (total === 0) return 0;
    return this.#submit((draft) => {
      const count = settlePast(draft, due) + releasePast(draft, free) + retireIdle(draft, idle);
      return () => count;
    });
  }

  async revokeKey(revoke: Verified<KeyRevoke>): Promise<Inclusion> {
    return this.#logged((draft) => revokeKey(this.#parts.court, draft, revoke));
  }

  isRevoked(key: PeerId, root: PeerId): boolean {
    return this.#parts.committed.isRevoked(key, root);
  }

  async addApiKey(message: Verified<ApiKey>): Promise<Inclusion> {
    return this.#logged((draft) => addApiKey(this.#parts.court, draft, message));
  }

  async revokeApiKey(message: Verified<ApiKeyRevoke>): Promise<Inclusion> {
    return this.#logged((draft) => revokeApiKey(this.#parts.court, draft, message));
  }

  apiKeyOf(hash: Uint8Array): ApiKeyStanding | undefined {
    return apiKeyStanding(this.#views, hash, this.#now);
  }

  apiKeys(account: PeerId): readonly ApiKeyView[] {
    return apiKeyViews(this.#views, account, this.#now);
  }

  async bar(identity: PeerId, reason: string): Promise<Inclusion> {
    return this.#logged((draft) => bar(draft, identity, reason));
  }

  async deny(kind: DenialKind, value: string, reason: string): Promise<void> {
    return this.#record({ kind, value, reason });
  }

  async undeny(kind: DenialKind, value: string): Promise<void> {
    return this.#record({ kind, value });
  }

  async #record(denial: Denial): Promise<void> {
    return this.#submit<void>((draft) => {
      draft.denials.push(denial);
      return () => {};
    });
  }

  denied(kind: DenialKind, value: string): string | undefined {
    return this.#parts.committed.denied(kind, value);
  }

  denials(): readonly Required<Denial>[] {
    return this.#parts.store
      .denials()
      .map(({ kind, value, reason }) => ({ kind, value, reason: reason ?? "" }));
  }

  async rotateKey(purpose: keyof RelayKeys, nextSeed: Uint8Array): Promise<Inclusion> {
    const { court, keys } = this.#parts;
    const next = relayKey(nextSeed);
    const index = await this.#submit((draft) => {
      const at = rotateKey(court, draft, purpose, keys[purpose], next);
      return () => {
        keys[purpose] = next;
        return at;
      };
    });
    return this.inclusion(index);
  }

  account(peer: PeerId): AccountView {
    return accountView(this.#views, peer, this.#now);
  }

  hasAccount(peer: PeerId): boolean {
    return this.#parts.store.account(peer) !== undefined;
  }

  receipts(peer: PeerId, before: number | undefined, limit: number): readonly ReceiptView[] {
    return receiptViews(this.#views, peer, before, limit);
  }

  job(job: Cid): JobView | undefined {
    return jobView(this.#views, job);
  }

  size(): number {
    return this.#parts.tree.size;
  }

  async checkpoint(): Promise<string> {
    return this.#parts.queue.checkpoint();
  }

  entry(index: number): Uint8Array | undefined {
    return this.#parts.committed.entry(index);
  }

  hashes(level: number, first: number, count: number): Uint8Array<ArrayBuffer> {
    return this.#parts.tree.hashes(level, first, count);
  }

  async inclusion(index: number): Promise<Inclusion> {
    return this.#prove(index);
  }

  consistency(from: number, to: number): readonly Uint8Array[] {
    const { tree } = this.#parts;
    if (from < 0 || from > to || to > tree.size)
      throw new FailureError("not-found", `the log has ${tree.size} entries`);
    return tree.consistencyProof(from, to).map(plainBytes);
  }

  keyRotations(): readonly number[] {
    return this.#parts.store.entriesOf("key-rotate");
  }

  onCommit(listener: (commit: Commit) => void): () => void {
    return this.#parts.queue.onCommit(listener);
  }

  async backup(path: string): Promise<void> {
    await this.#parts.queue.idle();
    await this.#parts.store.backup(path);
  }

  close(): void {
    this.#parts.store.close();
  }
}

/** That the log holds an entry. @throws FailureError `not-found` */
function inclusionOf({ tree, queue }: Pick<LedgerBooksParts, "tree" | "queue">, index: number): Inclusion {
  if (index < 0 || index >= tree.size) throw new FailureError("not-found", `no entry ${index}`);
  const leaf = plainBytes(tree.node(0, index));
  return { index, leaf, proof: tree.inclusionProof(index).map(plainBytes), checkpoint: queue.checkpoint() };
}
