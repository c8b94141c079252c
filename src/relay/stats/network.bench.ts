/** What the relay's statistics cost it, in processor time: one commit followed, and one view put together for 5,000 connected peers. */
import { randomBytes } from "node:crypto";
import { pino } from "pino";
import type { Bench, Measurement } from "../../../bench/bench.ts";
import type { LeaseState } from "../../ledger/ledger-state.ts";
import { networkViewJson } from "../../protocol/network-view.ts";
import { peerIdFromKey, type PeerId } from "../../protocol/peer-id.ts";
import { fuel, microCredits } from "../../protocol/units.ts";
import { openLease, openScene, signerOf, TARIFF } from "../books/books-scene.contract.ts";
import type { Commit } from "../books.ts";
import { LiveOffers } from "../offers/live-offers.ts";
import { offerOf } from "../relay-scene.contract.ts";
import { VIEW_MS } from "./limits.ts";
import { startStats } from "./start-stats.ts";

const PEERS = 5_000;
const VIEWS = 15;
/** Leases that one group commit changes, and commits in one measurement. */
const LEASES = 100;
const COMMITS = 200;

/** A commit as the books tell it: many leases with one receipt more each, made from a real one. */
function commitOf(lease: LeaseState, round: number, peers: readonly PeerId[]): Commit {
  const leases = Array.from({ length: LEASES }, (_, index): LeaseState => {
    const at = round * LEASES + index;
    const instance = peers[at % peers.length] ?? lease.terms.instance;
    const { newest } = lease;
    if (newest === undefined) throw new RangeError("the lease has no receipt");
    const count = newest.count * (round + 1);
    return {
      ...lease,
      index: 1_000_000 + index,
      terms: { ...lease.terms, instance },
      newest: {
        ...newest,
        index: 2_000_000 + at,
        count,
        fuel: fuel(count * 1_000_000),
        amount: microCredits(count * 110),
      },
    };
  });
  return { size: 0, entries: [], leases };
}

/** Processor time of this process, microseconds: of a busy machine too it tells what the work takes. */
function processorUs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

const network: Bench = {
  name: "network",
  async run(): Promise<readonly Measurement[]> {
    const scene = await openScene();
    const { books, clock } = scene;
    const changed: LeaseState[] = [];
    books.onCommit(({ leases }) => changed.push(...leases));
    const { work } = await openLease(scene);
    await work.go(3).send();
    const lease = changed.findLast(({ newest }) => newest !== undefined);
    if (lease === undefined) throw new Error("no lease has a receipt");
    const peers = Array.from({ length: PEERS }, () => peerIdFromKey(new Uint8Array(randomBytes(32))));
    const offers = new LiveOffers(() => clock.now);
    for (const instance of peers) offers.put({ ...offerOf("provider"), provider: instance, instance }, {});
    const running = startStats({
      data: { books },
      config: { tariff: TARIFF },
      offers,
      capability: { proof: () => ({ at: clock.now, fuelPerSecond: 1_000_000_000n }) },
      mesh: { peerId: signerOf("relay").key, peers: () => peers },
      log: pino({ level: "silent" }),
      nowMs: () => clock.now,
    });
    try {
      const commits = Array.from({ length: COMMITS }, (_, round) => commitOf(lease, round, peers));
      const followedUs = processorUs(() => {
        for (const commit of commits) running.stats.take(commit);
      });
      for (const peer of peers)
        running.stats.answered(peer, 12, [{ peer: peers[0] ?? peer, over: "webrtc" }]);
      const viewsUs = processorUs(() => {
        for (let turn = 0; turn < VIEWS; turn += 1) {
          clock.now += VIEW_MS;
          JSON.stringify(networkViewJson.write(running.stats.view()));
        }
      });
      return [
        { name: "a receipt followed by the statistics", value: followedUs / (COMMITS * LEASES), unit: "µs" },
        { name: "a view of the network with 5,000 peers", value: viewsUs / VIEWS / 1_000, unit: "ms" },
      ];
    } finally {
      await running.stop();
      books.close();
    }
  },
};

export const benches: readonly Bench[] = [network];
