import type { Cid, Digest } from "../../protocol/cid.ts";
import { openEnvelope, type SignedBy, verified } from "../../protocol/envelope.ts";
import { FailureError } from "../../protocol/failure.ts";
import { type Run, type RunHolders, runHoldersMessage, runMessage } from "../../protocol/messages/run.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { Verify } from "../../protocol/signature.ts";
import { ReceiptReader } from "./receipt.ts";

/** A run whose signatures hold. */
export interface OpenRun {
  readonly id: Cid;
  readonly body: Run;
  readonly envelope: Uint8Array;
  /** Root identities that may coordinate it besides its initiator, first come first. */
  readonly holders: readonly PeerId[];
  readonly holdersEnvelope?: Uint8Array;
}

/**
 * Reads a run and who may coordinate it; of several run-holders the highest `rev` counts.
 * @throws FailureError `bad-signature`, `malformed`, `denied` when the holders are of another run.
 */
export async function openRun(
  envelope: Uint8Array,
  holders: readonly Uint8Array[],
  verify: Verify,
  digest?: Digest,
): Promise<OpenRun> {
  const message = openEnvelope(runMessage, envelope, digest);
  const { body, id } = message;
  await verified(message, verify);
  const reader = new ReceiptReader(
    { run: id, issuedAt: body.issuedAt, notAfter: body.notAfter },
    verify,
    digest,
  );
  const signers = await rootsOf(reader, message.signedBy);
  if (!signers.includes(body.initiator))
    throw new FailureError("bad-signature", "run: its initiator did not sign it");
  if (body.apiKey === undefined && !signers.includes(body.payer))
    throw new FailureError("bad-signature", "run: its payer did not sign it");
  const newest = await newestHolders(id, body.initiator, holders, reader, verify);
  return {
    id,
    body,
    envelope,
    holders: newest?.body.holders ?? [],
    ...(newest === undefined ? {} : { holdersEnvelope: newest.envelope }),
  };
}

async function rootsOf(reader: ReceiptReader, signedBy: readonly SignedBy[]): Promise<readonly PeerId[]> {
  return Promise.all(signedBy.map(async (by) => reader.rootOf(by)));
}

async function newestHolders(
  run: Cid,
  initiator: PeerId,
  envelopes: readonly Uint8Array[],
  reader: ReceiptReader,
  verify: Verify,
): Promise<{ readonly body: RunHolders; readonly envelope: Uint8Array } | undefined> {
  let newest: { readonly body: RunHolders; readonly envelope: Uint8Array } | undefined;
  for (const envelope of envelopes) {
    const message = openEnvelope(runHoldersMessage, envelope);
    if (message.body.run !== run) throw new FailureError("denied", "run-holders: made for another run");
    // oxlint-disable-next-line no-await-in-loop -- one, as a rule
    await verified(message, verify);
    // oxlint-disable-next-line no-await-in-loop
    const signers = await rootsOf(reader, message.signedBy);
    if (!signers.includes(initiator))
      throw new FailureError("bad-signature", "run-holders: the run's initiator did not sign it");
    if (newest === undefined || message.body.rev > newest.body.rev) newest = { body: message.body, envelope };
  }
  return newest;
}
