import { describe, expect, it } from "vitest";
import { createMemoryNetwork } from "../../mesh/memory-mesh.ts";
import { createRelayClient } from "../../mesh/relay-client.ts";
import { serveRuns } from "../../mesh/run-exchange.ts";
import type { Cid } from "../../protocol/cid.ts";
import { openEnvelope, seal } from "../../protocol/envelope.ts";
import { leaseMessage } from "../../protocol/messages/lease.ts";
import { runHoldersMessage } from "../../protocol/messages/run.ts";
import type { Signer } from "../../protocol/signature.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import { cidOf, RAW } from "../../protocol/cid.ts";
import { microCredits } from "../../protocol/units.ts";
import { HEAD, signerOf } from "../../relay/books/books-scene.contract.ts";
import { jobOf, offerOf, openRelayScene, submit } from "../../relay/relay-scene.contract.ts";
import { makeRun, stepOf } from "../../relay/runs/run-routes-scene.contract.ts";
import { gatherSteps } from "./gather-steps.ts";
import { RunMailbox } from "./run-mailbox.ts";

const PROVIDER = signerOf("provider");
const HOLDER = signerOf("helen");

/** A run with one provider, which has leases for node a alone and has left one receipt of it, and a holder who goes on with it. */
async function scene(): Promise<{
  readonly run: Cid;
  readonly first: Uint8Array;
  /** A receipt of the provider under its lease. */
  readonly receipt: (result: string, iteration: string) => Promise<Uint8Array>;
  /** What the holder goes on from when the provider shows this. */
  readonly gathered: (shown: readonly Uint8Array[]) => Promise<readonly Uint8Array[]>;
}> {
  const relay = await openRelayScene({});
  const client = createRelayClient({
    baseUrl: "http://relay.test",
    fetch: async (input, init) => relay.http.request(new Request(input, init)),
  });
  const { id: run, terms, registration } = await makeRun(relay.scene);
  await client.registerRun(registration);
  await client.setRunHolders(
    run,
    await seal(runHoldersMessage, { ...HEAD, run, rev: 1, holders: [HOLDER.key] }, [relay.scene.requester]),
  );
  relay.offers.put(offerOf("provider"), { send: () => true });
  const job = await jobOf(relay, {
    payer: terms.payer,
    cap: microCredits(5_000),
    run: { id: run, node: "a", turn: 0 },
  });
  const granted = await submit(relay, job);
  if (typeof granted === "string") throw new Error(granted);
  const [leased] = granted.leases;
  if (leased === undefined) throw new Error("no lease");
  const lease = openEnvelope(leaseMessage, leased.lease).id;
  const info = await client.info();
  const mailboxOf = (signer: Signer): RunMailbox =>
    new RunMailbox({ run, client, info, signer, now: () => relay.scene.clock.now, since: () => [] });
  const receipt = async (result: string, iteration: string): Promise<Uint8Array> => {
    const bytes = encodeUtf8(result);
    const changes = { iteration, result: cidOf(RAW, bytes), size: bytes.length, lease, seq: 0 };
    return stepOf(run, PROVIDER, changes);
  };
  const first = await receipt("first", "0");
  await mailboxOf(PROVIDER).show([first]);
  const network = createMemoryNetwork();
  const [mesh, theirs] = [network.join(HOLDER.key), network.join(PROVIDER.key)];
  await Promise.all([mesh.start(), theirs.start()]);
  return {
    run,
    first,
    receipt,
    gathered: async (shown) => {
      const stop = serveRuns(theirs, {
        admit: async () => undefined,
        learn: async () => undefined,
        since: () => shown,
      });
      try {
        const ground = { mesh, relay: "/memory" };
        return await gatherSteps(ground, run, mailboxOf(HOLDER), AbortSignal.timeout(10_000));
      } finally {
        stop();
      }
    },
  };
}

describe("who goes on with a run", () => {
  it("goes on from what a provider has signed under its lease since the relay heard of it", async () => {
    const { first, receipt, gathered } = await scene();
    const more = await receipt("second", "1");
    expect(await gathered([first, more])).toEqual([first, more]);
  });

  it("takes no step that nobody gave out, whoever has signed it and however many", async () => {
    const { run, first, gathered } = await scene();
    const made = await Promise.all(
      ["one", "two", "three"].map(async (name) => stepOf(run, signerOf(name), { node: "b" })),
    );
    expect(await gathered([first, ...made])).toEqual([first]);
    const own = await stepOf(run, PROVIDER, { node: "b" });
    expect(await gathered([first, own, ...made])).toEqual([first]);
  });

  it("is not held up by a provider that shows bytes which are no receipts", async () => {
    const { first, receipt, gathered } = await scene();
    const more = await receipt("second", "1");
    expect(await gathered([Uint8Array.of(1, 2, 3), first, more])).toEqual([first, more]);
  });
});
