import { randomBytes, webcrypto } from "node:crypto";
import type { RelayMesh } from "../../mesh/relay-mesh.ts";
import { signerFromSeed } from "../../protocol/ed25519.ts";
import { OFFER_PROTOCOL } from "../../protocol/protocol-id.ts";
import type { CapabilityDesk } from "../capability/capability-desk.ts";
import { ChallengeBank } from "../capability/challenge-bank.ts";
import { Interview, type InterviewParts } from "../capability/interview.ts";
import { LaneThreads } from "../capability/lane-threads.ts";
import { OFFER_BURST, OFFERS_PER_SECOND, PING_MS } from "../limits.ts";
import type { RelayData } from "../open-data.ts";
import { RateLimit } from "../rate-limit.ts";
import type { UndoStack } from "../undo-stack.ts";
import { type OfferParts, OfferStream } from "./offer-stream.ts";
import type { Owners } from "./owners.ts";

/** What providers are answered with. */
export interface OffersGround {
  readonly data: Pick<RelayData, "books" | "meshSeed">;
  readonly mesh: RelayMesh;
  readonly owners: Owners;
  readonly capability: CapabilityDesk;
  readonly undo: UndoStack;
  readonly nowMs: () => number;
}

/** Answers providers from here on: takes their offers, pings them, and measures them. */
export async function answerOffers(
  { data, mesh, nowMs, undo, owners, capability }: OffersGround,
  shared: Omit<OfferParts, "signer" | "limit" | "pingMs">,
): Promise<void> {
  const signer = await signerFromSeed(webcrypto.subtle, data.meshSeed);
  const computer = new LaneThreads();
  undo.push(() => computer.stop());
  const interviews: InterviewParts = {
    desk: capability,
    bank: new ChallengeBank(computer, randomBytes, (a, b) => owners.sameOwner(a, b)),
    ground: data.books,
    signer,
    nowMs,
    elapsedMs: () => performance.now(),
    random: randomBytes,
  };
  const parts: OfferParts = {
    ...shared,
    signer,
    admit: (offer) => owners.offered(offer, mesh.remotes(offer.instance)),
    interview: (other) => new Interview(interviews, other),
    limit: new RateLimit({ burst: OFFER_BURST, perSecond: OFFERS_PER_SECOND }, "provider", nowMs),
    pingMs: PING_MS,
  };
  undo.push(
    mesh.handle(OFFER_PROTOCOL, (stream) => new OfferStream(stream, parts).start(), { maxStreamsPerPeer: 2 }),
  );
}
