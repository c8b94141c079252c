import { secretsIn } from "../../effects/fetch-request.ts";
import type { EffectGrants } from "../../protocol/effect-grants.ts";
import { jsonRpc } from "../../effects/json-rpc.ts";
import { performEffect } from "../../effects/perform-effect.ts";
import { encodeRecord } from "../../effects/replay-effect.ts";
import { cidOf, RAW } from "../../protocol/cid.ts";
import { type EffectPlace, encodeCapability, type SealedSecret } from "../../protocol/messages/effect.ts";
import { decodeUtf8 } from "../../protocol/text.ts";
import type { WorkOrder } from "../check-open.ts";
import type { EffectResult } from "../session-ports.ts";
import type { EffectSurroundings, EffectWork } from "./effect-desk.ts";

function placeOf({ order, task }: EffectWork): { readonly place?: EffectPlace } {
  const { run } = order.job.body;
  const { step } = task;
  if (run === undefined || step === undefined) return {};
  const { iteration, attempt } = step;
  return { place: { run: run.id, node: run.node, iteration, attempt } };
}

/** Origins of private networks that may be asked: those that the person has named, where that counts at all. */
function localOrigins({ fetch: fetched }: EffectGrants, allowLocal: boolean): readonly string[] {
  return allowLocal && typeof fetched !== "string" ? fetched : [];
}

/** Opens those secrets that the request asks for, and no others. They live as long as this effect. */
async function openSecrets(
  secrets: readonly SealedSecret[],
  input: Uint8Array,
  seed: Uint8Array,
  { lease }: WorkOrder,
): Promise<ReadonlyMap<string, string>> {
  const wanted = secrets.length === 0 ? [] : secretsIn(decodeUtf8(input));
  const asked = secrets.filter(({ name }) => wanted.includes(name));
  if (asked.length === 0) return new Map();
  const { openSecret } = await import("../../effects/secrets.ts");
  return new Map(
    await Promise.all(
      asked.map(async (each): Promise<[string, string]> => [
        each.name,
        await openSecret(each, seed, lease.id),
      ]),
    ),
  );
}

/** @throws FailureError as performEffect */
export async function carryOut(
  work: EffectWork,
  { parts, identity, now }: EffectSurroundings,
): Promise<EffectResult> {
  const { capability, task, input, secrets, signal, order } = work;
  const grants = parts.grants();
  const { exchange } = parts;
  const opened = await openSecrets(secrets, input, identity.seed, order);
  const performed = await performEffect(
    { capability, request: input, ...placeOf(work) },
    {
      signer: identity.signer.key,
      now: () => now(),
      deadline: (ms) => AbortSignal.timeout(Math.min(ms, task.deadlineMs)),
      exchange,
      localOrigins: localOrigins(grants, parts.allowLocal),
      chain: (name) => {
        const url = URL.parse(grants.chains[name] ?? "");
        return url === null ? undefined : jsonRpc(url, exchange);
      },
      secret: (name) => opened.get(name),
    },
    signal,
  );
  const { value } = performed;
  const record = encodeRecord(performed.record);
  return {
    kind: "done",
    output: value,
    outputCid: performed.record.response,
    capability: encodeCapability(capability),
    record,
    effectsCid: cidOf(RAW, record),
  };
}
