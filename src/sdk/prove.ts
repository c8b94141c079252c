import { createMemoryPins } from "../ledger/memory-pins.ts";
import { contactRelay, type RelayContact } from "../ledger/relay-contact.ts";
import { createRelayClient, type RelayClient } from "../mesh/relay-client.ts";
import type { Cid } from "../protocol/cid.ts";
import { verifierOf } from "../protocol/ed25519.ts";
import { FailureError } from "../protocol/failure.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import { writeTlogProof } from "../protocol/tlog-proof.ts";
import type { AccountOwner } from "./account-desk.ts";

/** Receipts that are asked for at a time, newest first. */
const PAGE = 100;

interface Reached {
  readonly client: RelayClient;
  readonly contact: RelayContact;
}

async function reach({ relay, pins }: Omit<AccountOwner, "seed">): Promise<Reached> {
  const client = createRelayClient({ baseUrl: relay, fetch: (input, init) => fetch(input, init) });
  const contact = await contactRelay(
    client,
    pins ?? createMemoryPins(),
    verifierOf(crypto.subtle),
    Date.now(),
  );
  return { client, contact };
}

async function proven({ client, contact }: Reached, index: number): Promise<string> {
  const [inclusion, entry] = await Promise.all([client.inclusion(index), client.entry(index)]);
  if (inclusion.index !== index)
    throw new FailureError("forged-checkpoint", "the relay proved another entry than was asked for");
  await contact.log.checkInclusion(inclusion, entry);
  return writeTlogProof({ ...inclusion, entry });
}

/**
 * The file that proves to anybody that a relay's log holds an entry: C2SP tlog-proof with the entry in it. The proof is
 * checked against the relay's pinned keys first.
 * @throws FailureError `not-found` beyond the log, `forged-checkpoint`; when the relay cannot be reached.
 */
export async function proveEntry(at: Omit<AccountOwner, "seed">, index: number): Promise<string> {
  return proven(await reach(at), index);
}

/** Entry of the newest receipt of a lease. Receipts of a provider are looked through from the newest back. */
async function receiptOf(client: RelayClient, provider: PeerId, lease: Cid): Promise<number> {
  for (let before: number | undefined; ;) {
    // oxlint-disable-next-line no-await-in-loop -- page after page
    const page = await client.receipts(provider, {
      limit: PAGE,
      ...(before === undefined ? {} : { before }),
    });
    const found = page.find((view) => view.lease === lease);
    if (found !== undefined) return found.entryIndex;
    before = page.at(-1)?.entryIndex;
    if (before === undefined)
      throw new FailureError("not-found", `the relay shows no receipt of lease ${lease}`);
  }
}

/**
 * Proofs of the newest receipt of each lease of a job, one behind the other in one file.
 * @throws FailureError as proveEntry; `not-found` when no lease of it has a receipt.
 */
export async function proveJob(at: Omit<AccountOwner, "seed">, job: Cid): Promise<string> {
  const reached = await reach(at);
  const { leases } = await reached.client.job(job);
  const proofs: string[] = [];
  for (const { lease, provider, count } of leases) {
    if (count === 0) continue;
    // oxlint-disable-next-line no-await-in-loop -- one after the other, so that a relay is not stormed
    proofs.push(await proven(reached, await receiptOf(reached.client, provider, lease)));
  }
  if (proofs.length === 0) throw new FailureError("not-found", `no lease of job ${job} has a receipt`);
  return proofs.join("");
}
