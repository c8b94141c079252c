import type { FailureCode } from "../protocol/failure-code.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import { fuel } from "../protocol/units.ts";
import type { MapResult } from "./job-options.ts";
import type { Member } from "./lease-crew.ts";
import type { SentTask, TaskAnswer } from "./task-answers.ts";
import { resultOf } from "./task-result.ts";
import type { WorkItem } from "./work-queue.ts";

/** One input at one provider. */
export interface Replica {
  readonly member: Member;
  readonly provider: PeerId;
  readonly sent: SentTask;
}

/** A replica whose outcome is shown and signed for. */
export interface Vote extends Replica {
  readonly answer: TaskAnswer;
  /** Equal for outcomes that say the same. */
  readonly says: string;
}

export function voteOf(replica: Replica, answer: TaskAnswer): Vote {
  const { status, code, outputCid, fuel: used } = answer.outcome;
  return { ...replica, answer, says: `${status} ${code ?? ""} ${outputCid ?? ""} ${used}` };
}

export function providerOf({ session }: Member): PeerId {
  return session.channel.held.lease.body.provider;
}

/** What is known about one input that several providers compute. */
export class Ballot {
  readonly item: WorkItem;
  /** Replicas that are to be compared: so many as the job asks for, and more where those leave doubts. */
  wanted: number;
  votes: Vote[] = [];
  /** Under seal, or being computed. */
  readonly open: Set<Replica> = new Set();
  /** Who is not asked (again): has it, has said what came of it, or does not take it. */
  readonly asked: Set<PeerId> = new Set();
  /** Replicas that were lost, for whatever reason but the function's. */
  lost = 0;
  /** Somebody has said something else than others. */
  isDisputed = false;
  readonly #refusals: TaskAnswer[] = [];

  constructor(item: WorkItem, wanted: number) {
    this.item = item;
    this.wanted = wanted;
  }

  get missing(): number {
    return this.wanted - this.votes.length - this.open.size;
  }

  /** Takes votes back that count no more. @returns those */
  dismiss(isFalse: (vote: Vote) => boolean): readonly Vote[] {
    const gone = this.votes.filter((vote) => isFalse(vote));
    this.votes = this.votes.filter((vote) => !gone.includes(vote));
    return gone;
  }

  /** An unpaid failure that another provider may have as well. */
  refuse(answer: TaskAnswer): void {
    this.#refusals.push(answer);
  }

  /** How many have failed as the last one did. */
  get alikeRefusals(): number {
    const code = this.lastRefusal?.outcome.code;
    return this.#refusals.filter(({ outcome }) => outcome.code === code).length;
  }

  get lastRefusal(): TaskAnswer | undefined {
    return this.#refusals.at(-1);
  }

  resultOf({ provider, answer }: Pick<Vote, "provider" | "answer">): MapResult {
    return resultOf(this.item, provider, answer);
  }

  failed(code: FailureCode, detail: string): MapResult {
    const { index } = this.item;
    return { kind: "failed", index, code, detail, fuel: this.votes[0]?.answer.outcome.fuel ?? fuel(0) };
  }
}

/** Nothing will be asked about them any more. */
export function forget(votes: readonly Vote[]): void {
  for (const { member, sent } of votes) member.session.channel.forget(sent.seq);
}

/** Has a replica shown that nobody needs any more. */
export async function payAnyway({ member, sent }: Replica): Promise<void> {
  await sent.sealed.catch(() => undefined);
  member.session.unseal(sent.seq);
  await sent.final.catch(() => undefined);
  member.session.channel.forget(sent.seq);
}
