import type { Logger } from "pino";
import type { Cid } from "../../protocol/cid.ts";
import { openEnvelope } from "../../protocol/envelope.ts";
import { decodeEntryOf } from "../../protocol/messages/entry.ts";
import type { Name } from "../../protocol/messages/name.ts";
import { runEndMessage, type Step } from "../../protocol/messages/run.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { PlaceCallOptions } from "../alerts/place-call.ts";
import type { Authentication } from "../authenticate.ts";
import type { BlobFolder } from "../blob-folder.ts";
import type { Books } from "../books.ts";
import { addressGroup } from "../client-address.ts";
import { STRANGERS_RATE } from "../limits.ts";
import type { LiveOffers } from "../offers/live-offers.ts";
import { RateLimit } from "../rate-limit.ts";
import type { RunStanding } from "../run-books.ts";
import { NAME_GRACE_MS, RETURN_CALL_MS, RETURN_CALLS, SWEEP_MS } from "./limits.ts";
import { NameDesk } from "./name-desk.ts";
import { NameRows } from "./name-rows.ts";
import { ReturnCalls } from "./return-calls.ts";
import { RunAccessDesk } from "./run-access.ts";
import { RunDesk } from "./run-desk.ts";
import { RunListeners } from "./run-listeners.ts";
import { RunMail } from "./run-mail.ts";
import { StepBox } from "./step-box.ts";
import { ValueBox } from "./value-box.ts";

export interface RunsGround {
  /** Of the file that keeps what waits for runs, and of names; or ":memory:". */
  readonly mailPath: string;
  readonly namesPath: string;
  readonly books: Books;
  readonly authentication: Authentication;
  readonly blobs: BlobFolder;
  readonly offers: Pick<LiveOffers, "list">;
  readonly welcome: (payer: PeerId) => Promise<void>;
  readonly limit: RateLimit;
  readonly calling: PlaceCallOptions;
  /** Identity of the relay itself. */
  readonly self: PeerId;
  readonly log: Logger;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
}

/** What happens to runs and names, for those who wait for it. */
export interface RunsWatch {
  /** A receipt is new here. */
  readonly onStep?: (step: Step, signer: PeerId) => void;
  /** A run has ended. */
  readonly onEnd?: (run: RunStanding) => void;
  /** A name stands for something else. */
  readonly onName?: (name: Name) => void;
}

/** Runs of a relay that runs. */
export interface RunningRuns {
  readonly desk: RunDesk;
  readonly access: RunAccessDesk;
  readonly steps: StepBox;
  readonly values: ValueBox;
  readonly listeners: RunListeners;
  readonly names: NameDesk;
  /** @returns a function that ends this */
  watch(watch: RunsWatch): () => void;
  /** Makes the calls to return addresses that are due. */
  deliver(): Promise<void>;
  /** Throws away what has waited long enough. */
  sweep(): void;
  /** Idempotent. */
  stop(): void;
}

/** Goes on with what waited. */
export function startRuns(ground: RunsGround): RunningRuns {
  const { books, blobs, limit, log, nowMs } = ground;
  const mail = new RunMail(ground.mailPath);
  const rows = new NameRows(ground.namesPath);
  const listeners = new RunListeners();
  const watches = new Set<RunsWatch>();
  const strangers = new RateLimit(STRANGERS_RATE, "address by accounts that are new", nowMs);
  const values = new ValueBox(books, mail, blobs);
  const shared = { ...ground, mail, room: values.room, listeners };
  const desk = new RunDesk({ ...shared, allowPrivate: ground.calling.allowPrivate });
  const calls = new ReturnCalls({ ...shared, limit: new RateLimit(RETURN_CALLS, "account", nowMs) });
  const sweep = (): void => {
    for (let box = mail.oldest(); box !== undefined && box.keptUntil <= nowMs(); box = mail.oldest())
      values.forget(box.run);
    rows.sweep(nowMs() - NAME_GRACE_MS);
  };
  const stopListening = books.onCommit(({ entries }) => {
    const accounts = new Set<PeerId>();
    for (const entry of entries) for (const account of entry.accounts) accounts.add(account);
    listeners.tellPayers(accounts);
    for (const { index, type } of entries) if (type === "run-end") tellEnd(books, watches, index);
  });
  const timers = [
    setInterval(() => {
      calls.turn().catch((error: unknown) => log.error({ err: error }, "return addresses were not called"));
    }, RETURN_CALL_MS),
    setInterval(sweep, SWEEP_MS),
  ];
  for (const timer of timers) timer.unref();
  let isStopped = false;
  return {
    desk,
    access: new RunAccessDesk(ground),
    steps: new StepBox({
      ...shared,
      desk,
      onStep: (step, signer) => {
        for (const { onStep } of watches) onStep?.(step, signer);
      },
    }),
    values,
    listeners,
    names: new NameDesk({
      ...ground,
      rows,
      admit: (account, address) => {
        limit.take(account);
        // Keys are free, and a name is kept.
        if (!books.hasAccount(account)) strangers.take(addressGroup(address));
      },
      onChange: (name) => {
        for (const { onName } of watches) onName?.(name);
      },
    }),
    watch(watch) {
      watches.add(watch);
      return () => watches.delete(watch);
    },
    deliver: () => calls.turn(),
    sweep,
    stop() {
      if (isStopped) return;
      isStopped = true;
      stopListening();
      for (const timer of timers) clearInterval(timer);
      listeners.close();
      mail.close();
      rows.close();
    },
  };
}

function tellEnd(books: Books, watches: Iterable<RunsWatch>, index: number): void {
  const run = endedBy(books, index);
  const standing = run === undefined ? undefined : books.runs.run(run);
  if (standing !== undefined) for (const { onEnd } of watches) onEnd?.(standing);
}

function endedBy(books: Books, index: number): Cid | undefined {
  const entry = books.entry(index);
  if (entry === undefined) return undefined;
  return openEnvelope(runEndMessage, decodeEntryOf("run-end", entry).body.envelope).body.run;
}
