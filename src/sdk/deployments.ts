import type { Plan } from "../plan/plan.ts";
import { cidOf, DAG_CBOR, RAW, type Cid } from "../protocol/cid.ts";
import { brokenLine, type DeploymentView, type LogLine } from "../protocol/deployment-view.ts";
import { seal } from "../protocol/envelope.ts";
import { FailureError } from "../protocol/failure.ts";
import { header } from "../protocol/header.ts";
import { ALERT_SECRET_BYTES } from "../protocol/limits.ts";
import {
  type Deploy,
  deployMessage,
  type DeployRequest,
  deployRequestMessage,
  type TriggerTerms,
} from "../protocol/messages/deploy.ts";
import { microCredits } from "../protocol/units.ts";
import { type AccountDesk, type AccountOwner, openDesk } from "./account-desk.ts";
import { createApiKey, listApiKeys, revokeApiKey } from "./api-keys.ts";

const MAX_LABEL_BYTES = 64;

/** Plans that a relay keeps ready and runs by itself, at their owner's expense. */

export interface DeployTerms {
  /** Small letters, digits and "-": it stands in addresses. */
  readonly name: string;
  readonly plan: Plan;
  /** Parameters that are the same for every run; callers and events give the others. */
  readonly params?: Readonly<Record<string, unknown>>;
  /** Parameters of the run that shows that it works. Default: only its parts are looked at. */
  readonly health?: Readonly<Record<string, unknown>>;
  /** Distinct owners that are to stand ready. Default 1. */
  readonly replicas?: number;
  readonly triggers?: readonly TriggerTerms[];
  /** Whether anybody may call it over HTTP. Default false. */
  readonly open?: boolean;
  /** Micro-credits that one run may cost. */
  readonly budget: bigint;
  /** Micro-credits that all runs of a day may cost together. Default: those of 100 runs. */
  readonly perDay?: bigint;
  /** Default: higher than any before. */
  readonly version?: number;
  /** CID of the api-key under which the relay spends. Default: one that is made for this deployment, with `perDay` as its cap. */
  readonly apiKey?: Cid;
  /** Functions that the relay may not have yet. */
  readonly modules?: readonly Uint8Array[];
}

/**
 * Deploys a plan, or a new version of one: the relay tries it out, and it takes the old one's place if it does well.
 * @throws PlanError for a plan that is wrong; FailureError `denied` for a name that is another's, `not-found` for a function that nobody
 * has given to the relay, `malformed` for a trigger that never fires; the relay's own
 */
export async function deploy(owner: AccountOwner, terms: DeployTerms): Promise<DeploymentView> {
  const [{ requireSound }, { encodePlan }] = await Promise.all([
    import("../plan/check.ts"),
    import("../plan/plan-codec.ts"),
  ]);
  requireSound(terms.plan);
  const desk = await openDesk(owner);
  const { client, info, signer } = desk;
  const { budget, perDay = 100n * budget, modules = [] } = terms;
  const planBytes = encodePlan(terms.plan);
  const plan = cidOf(DAG_CBOR, planBytes);
  await upload(desk, [[plan, planBytes], ...modules.map((bytes) => [cidOf(RAW, bytes), bytes] as const)]);
  const apiKey = terms.apiKey ?? (await keyFor(owner, terms.name, perDay));
  const now = Date.now();
  const body: Deploy = {
    ...header(info.origin, info.asset),
    owner: signer.key,
    name: terms.name,
    version: terms.version ?? now,
    plan,
    params: JSON.stringify(terms.params ?? {}),
    replicas: terms.replicas ?? 1,
    triggers: terms.triggers ?? [],
    open: terms.open ?? false,
    ...(terms.health === undefined ? {} : { health: JSON.stringify(terms.health) }),
    apiKey,
    budget: microCredits(budget),
    perDay: microCredits(perDay),
    issuedAt: now,
  };
  return client.deploy(await seal(deployMessage, body, [signer]));
}

/** A secret for a webhook's calls. */
export function webhookSecret(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(ALERT_SECRET_BYTES));
}

export async function listDeployments(owner: AccountOwner): Promise<readonly DeploymentView[]> {
  const desk = await openDesk(owner);
  return desk.client.deployments(await request(desk, { does: "list" }));
}

/** Ends a deployment, and takes back the key that was made for it; its log stays for a month. @throws FailureError `not-found` */
export async function undeploy(owner: AccountOwner, name: string): Promise<void> {
  const desk = await openDesk(owner);
  await desk.client.undeploy(await request(desk, { does: "undeploy", name }));
  for (const { label, revoked, apiKey } of await listApiKeys(owner))
    // oxlint-disable-next-line no-await-in-loop -- one, as a rule
    if (label === labelOf(name) && revoked === undefined) await revokeApiKey(owner, apiKey);
}

/**
 * What happened to a deployment, oldest first, checked: each line names the one before it.
 * @param options.from the first line @param options.follow goes on until the signal is aborted
 * @throws FailureError `not-found`; `forged-checkpoint` where the relay shows lines that do not follow one another
 */
export async function* deploymentLog(
  owner: AccountOwner,
  name: string,
  options: { readonly from?: number; readonly follow?: boolean; readonly signal?: AbortSignal } = {},
): AsyncGenerator<LogLine> {
  const desk = await openDesk(owner);
  const { from = 0, follow = false, signal = new AbortController().signal } = options;
  const asked = (): Promise<Uint8Array> => request(desk, { does: "logs", name });
  let before: LogLine | undefined;
  const checked = (line: LogLine): LogLine => {
    if (brokenLine(name, before === undefined ? [line] : [before, line]) !== undefined)
      throw new FailureError(
        "forged-checkpoint",
        `line ${line.seq} of the log does not follow the one before it`,
      );
    before = line;
    return line;
  };
  if (follow) {
    for await (const { line } of desk.client.followDeployment(asked, from, signal)) yield checked(line);
    return;
  }
  for (let next = from; ;) {
    // oxlint-disable-next-line no-await-in-loop -- one page after the other
    const lines = await desk.client.deploymentLines(await asked(), next, signal);
    for (const line of lines) yield checked(line);
    if (lines.length === 0) return;
    next = (lines.at(-1)?.seq ?? next) + 1;
  }
}

async function upload(
  { client }: AccountDesk,
  blobs: readonly (readonly [cid: Cid, bytes: Uint8Array])[],
): Promise<void> {
  for (const [cid, bytes] of blobs) {
    // oxlint-disable-next-line no-await-in-loop -- relays take few at a time
    if (!(await client.hasBlob(cid))) await client.putBlob(cid, bytes);
  }
}

function labelOf(name: string): string {
  return `deployment ${name}`.slice(0, MAX_LABEL_BYTES);
}

/** The key of an earlier version goes on where it allows as much. */
async function keyFor(owner: AccountOwner, name: string, cap: bigint): Promise<Cid> {
  const label = labelOf(name);
  const known = (await listApiKeys(owner)).find(
    (key) => key.label === label && key.revoked === undefined && key.cap === cap && key.per === "day",
  );
  return known?.apiKey ?? (await createApiKey(owner, { label, cap, per: "day" })).apiKey;
}

/** Of two requests in a row the second is later. */
let newest = 0;

async function request(
  { info, signer }: AccountDesk,
  asked: Pick<DeployRequest, "does" | "name">,
): Promise<Uint8Array<ArrayBuffer>> {
  newest = Math.max(newest + 1, Date.now());
  const body: DeployRequest = {
    ...header(info.origin, info.asset),
    owner: signer.key,
    ...asked,
    issuedAt: newest,
  };
  return seal(deployRequestMessage, body, [signer]);
}
