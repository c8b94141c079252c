import { randomBytes } from "node:crypto";
import type { RelayClient } from "../../src/mesh/relay-client.ts";
import { encodePlan } from "../../src/plan/plan-codec.ts";
import { cidOf, DAG_CBOR, RAW } from "../../src/protocol/cid.ts";
import { openEnvelope, seal } from "../../src/protocol/envelope.ts";
import { header } from "../../src/protocol/header.ts";
import { nameMessage } from "../../src/protocol/messages/name.ts";
import {
  type Run,
  runAccessMessage,
  runEndMessage,
  runHoldersMessage,
  runMessage,
} from "../../src/protocol/messages/run.ts";
import type { RelayInfo } from "../../src/protocol/relay-api.ts";
import type { Signer } from "../../src/protocol/signature.ts";
import { encodeUtf8 } from "../../src/protocol/text.ts";
import { microCredits } from "../../src/protocol/units.ts";
import { signerOf } from "../../src/relay/books/books-scene.contract.ts";
import { planOf, stepOf, VALUE, VALUE_CID } from "../../src/relay/runs/run-routes-scene.contract.ts";

/** One honest request of every kind that runs and names have: a run that goes on, one that has ended, a name. */
export async function tellRuns(
  client: RelayClient,
  { origin, asset, peer }: RelayInfo,
  requester: Signer,
): Promise<void> {
  const head = header(origin, asset);
  const now = Date.now();
  const plan = encodePlan(planOf("a", "b"));
  const params = encodeUtf8("{}");
  for (const isOver of [false, true]) {
    const terms: Run = {
      ...head,
      initiator: requester.key,
      payer: requester.key,
      plan: cidOf(DAG_CBOR, plan),
      params: cidOf(RAW, params),
      nonce: new Uint8Array(randomBytes(16)),
      issuedAt: now,
      notAfter: now + 86_400_000,
      budget: microCredits(5_000),
      returnTo: "relay",
    };
    const envelope = await seal(runMessage, terms, [requester]);
    const { id: run } = openEnvelope(runMessage, envelope);
    await client.registerRun({ run: envelope, plan, params });
    const holders = { ...head, run, rev: 1, holders: [signerOf("holder").key] };
    await client.setRunHolders(run, await seal(runHoldersMessage, holders, [requester]));
    const shown = { ...head, run, audience: peer, issuedAt: now };
    const access = await seal(runAccessMessage, shown, [requester]);
    await client.putSteps(run, access, [await stepOf(run, requester)]);
    await client.putRunValue(run, access, VALUE_CID, VALUE);
    await client.runValue(run, access, VALUE_CID, 1_000);
    await client.steps(run, access, 0);
    await client.run(run);
    if (!isOver) continue;
    const end = { ...head, run, status: "done", result: VALUE_CID } as const;
    await client.endRun(run, await seal(runEndMessage, end, [requester]));
  }
  await client.runs(requester.key, { limit: 5 });
  const name = { ...head, owner: requester.key, name: "a-name", version: 1, plan: cidOf(DAG_CBOR, plan) };
  await client.putName(
    "a-name",
    await seal(nameMessage, { ...name, issuedAt: now, expires: now + 86_400_000 }, [requester]),
  );
  await client.name("a-name");
  await client.names(requester.key);
}
