import type { Candidate } from "../../src/market/match-job.ts";
import type { Cid } from "../../src/protocol/cid.ts";
import type { PeerId } from "../../src/protocol/peer-id.ts";
import type { Tariff } from "../../src/protocol/tariff.ts";
import { microCredits } from "../../src/protocol/units.ts";
import { HEAD } from "./court.ts";
import type { Names } from "./names.ts";
import type { Strategy } from "./strategy.ts";

/** A name under which somebody computes. */
export interface Identity {
  readonly peer: PeerId;
  readonly actor: Actor;
  readonly candidate: Candidate;
  /** Tasks it has answered, and those of strangers among them. */
  age: number;
  forStrangers: number;
}

/** A person with a machine: the owner of one identity after the other. */
export interface Actor {
  readonly strategy: Strategy;
  readonly isHonest: boolean;
  identity: Identity | undefined;
  readonly identities: PeerId[];
  /** Tasks that it will still be given. */
  slots: number;
  /** Pay of the tasks it was given, of those it computed, and of those it made up. Micro-credits. */
  assigned: number;
  computed: number;
  madeUp: number;
  /** Tasks answered in all. */
  ordinal: number;
}

/** What is to be told about one lease. */
export interface Work {
  readonly lease: Cid;
  readonly identity: Identity;
  /** Its requester is of the same owner. */
  readonly isWash: boolean;
  /** Place of its first leaf among the actor's tasks. */
  readonly firstOrdinal: number;
  /** Leaves that are false. */
  readonly lies: Set<number>;
  count: number;
  isVoided: boolean;
  isReleased: boolean;
}

export function newActor(strategy: Strategy, isHonest: boolean, slots: number): Actor {
  return {
    strategy,
    isHonest,
    identity: undefined,
    identities: [],
    slots,
    assigned: 0,
    computed: 0,
    madeUp: 0,
    ordinal: 0,
  };
}

/** An identity nobody has seen before. Whoever washes asks for a little less, so that its own jobs find it. */
export function assume(actor: Actor, names: Names, tariff: Tariff): Identity {
  const peer = names.peer();
  const { threads = 1, washes } = actor.strategy;
  const perTask = microCredits(washes === undefined ? tariff.perTask : tariff.perTask - 1n);
  const identity: Identity = {
    peer,
    actor,
    candidate: {
      offer: {
        ...HEAD,
        provider: peer,
        instance: peer,
        seq: 1,
        workers: threads,
        free: threads,
        memoryBytes: 2 ** 28,
        profiles: [1],
        abis: ["bytes-1"],
        tariffMin: { ...tariff, perTask },
        addresses: ["/memory/1"],
      },
      free: threads,
    },
    age: 0,
    forStrangers: 0,
  };
  actor.identity = identity;
  actor.identities.push(peer);
  return identity;
}
