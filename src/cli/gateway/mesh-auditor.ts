import type {
  AuditAnswer,
  AuditorGround,
  AuditorRequester,
  AuditOrder,
} from "../../relay/audits/auditor-requester.ts";
import { connect, type MapResult, type Tabmesh } from "../../sdk/index.ts";

/** How long a provider is looked for: the relay's own threads are there when nobody is. */
const NO_PROVIDER_MS = 5_000;

function answerOf(result: MapResult): AuditAnswer | undefined {
  const { fuel, provider } = result;
  if (provider === undefined) return undefined;
  return result.kind === "done"
    ? { kind: "done", provider, fuel, outputCid: result.outputCid, size: result.output.length }
    : { kind: "failed", provider, fuel, code: result.code };
}

/** Has one task computed, and waits until its receipt is logged. */
async function computeOne(
  mesh: Tabmesh,
  order: AuditOrder,
  signal: AbortSignal,
): Promise<AuditAnswer | undefined> {
  const { module, entry, args, input, limits } = order;
  const job = await mesh.map(module, [input], {
    abi: "bytes-1",
    entry,
    args: args.args,
    env: args.env,
    files: args.files,
    ...(args.inputFile === undefined ? {} : { inputFile: args.inputFile }),
    ...(args.outputFile === undefined ? {} : { outputFile: args.outputFile }),
    fuel: limits.fuel,
    memoryBytes: limits.memory,
    outputBytes: limits.output,
    deadlineMs: limits.deadlineMs,
    parallel: 1,
    maxTasks: 1,
    noProviderTimeoutMs: NO_PROVIDER_MS,
    signal,
  });
  let answer: AuditAnswer | undefined;
  for await (const result of job) answer = answerOf(result);
  await job.summary;
  return answer;
}

/** Asks providers as any newcomer would: each time with an identity and a place in the mesh of its own. */
class MeshAuditor implements AuditorRequester {
  readonly #relay: string;
  readonly #open = new Set<Tabmesh>();
  #closed = false;

  constructor({ relay }: AuditorGround) {
    this.#relay = relay;
  }

  async compute(order: AuditOrder, signal: AbortSignal): Promise<AuditAnswer | undefined> {
    if (this.#closed) return undefined;
    let mesh: Tabmesh | undefined;
    try {
      mesh = await connect({ relay: this.#relay, seed: order.identity });
      this.#open.add(mesh);
      return await computeOne(mesh, order, signal);
    } catch {
      // Whatever kept it from being done: the relay's own threads say what is right.
      return undefined;
    } finally {
      if (mesh !== undefined) await this.#leave(mesh);
    }
  }

  async #leave(mesh: Tabmesh): Promise<void> {
    this.#open.delete(mesh);
    await mesh.close().catch(() => undefined);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#open].map((mesh) => this.#leave(mesh)));
  }
}

export function meshAuditor(ground: AuditorGround): AuditorRequester {
  return new MeshAuditor(ground);
}
