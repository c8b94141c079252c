import { setTimeout as pause } from "node:timers/promises";
import type { Plan } from "../../plan/plan.ts";
import {
  type AccountOwner,
  deploy,
  type DeploymentView,
  deploymentLog,
  type DeployTerms,
  listDeployments,
  type MissedPolicy,
  type TriggerTerms,
  undeploy,
} from "../../sdk/index.ts";
import { atRelay } from "../at-relay.ts";
import type { RelayFlags } from "../job-flags.ts";
import { EXIT, type Exit, PlainError, usageError } from "../plain-error.ts";
import { findWork } from "../plan/find-work.ts";
import { readPlan } from "../plan/read-plan.ts";
import { creditsText } from "../quantities.ts";
import { writeAll } from "../write-all.ts";
import { curlLine, endedBy, requireStarts } from "./deployment-starts.ts";
import { capGround, runCap } from "./run-cap.ts";
import { type TriggerFlag, triggersOf } from "./trigger-flags.ts";

export interface DeployFlags extends RelayFlags {
  readonly name?: string;
  readonly replicas: number;
  readonly every?: readonly TriggerFlag[];
  readonly on?: readonly TriggerFlag[];
  readonly zone: string;
  readonly missed: MissedPolicy;
  readonly param?: readonly (readonly [string, string])[];
  readonly check?: readonly (readonly [string, string])[];
  readonly with?: readonly string[];
  readonly http?: boolean;
  readonly cap?: bigint;
  readonly perDay?: bigint;
}

/** A trial takes a run; a provider may have to fetch what it runs first. */
const TRIAL_MS = 90_000;
const LOOK_MS = 500;

async function say({ json }: RelayFlags, told: object, text: string): Promise<void> {
  const line = json === true ? JSON.stringify({ ok: true, ...told }, bigintAsText) : text;
  await writeAll(process.stdout, `${line}\n`);
}

function bigintAsText(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? value.toString() : value;
}

/** Values as JSON; of a text parameter as they are. @throws PlainError */
function paramsIn(
  { graph }: Plan,
  given: readonly (readonly [string, string])[] | undefined,
): Readonly<Record<string, unknown>> | undefined {
  if (given === undefined) return undefined;
  const values = given.map(([name, text]): [string, unknown] => {
    const type = Object.hasOwn(graph.params, name) ? graph.params[name]?.type : undefined;
    if (type === undefined)
      throw usageError(
        `The plan has no parameter ${name}.`,
        `It takes ${Object.keys(graph.params).join(", ") || "none"}.`,
      );
    if (type === "text") return [name, text];
    if (type === "bytes") return [name, Buffer.from(text).toString("base64")];
    try {
      return [name, JSON.parse(text)];
    } catch {
      throw usageError(`The parameter ${name} is no JSON.`, `For example --param ${name}=3`);
    }
  });
  return Object.fromEntries(values);
}

function slugOf(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/gu, "-")
    .replaceAll(/^-|-$/gu, "")
    .slice(0, 63);
}

function secretText(secret: Uint8Array): string {
  return `whsec_${Buffer.from(secret).toString("base64")}`;
}

/** What came of deploying. */
interface Deployed {
  readonly view: DeploymentView;
  /** What the version before did, and this one does not. */
  readonly ended: readonly string[];
  /** How it is called over HTTP, if it is. */
  readonly curl?: string;
}

function deployedText(
  { view, ended, curl }: Deployed,
  triggers: readonly TriggerTerms[],
  { relay }: RelayFlags,
): string {
  const lines = [stateLine(view), ...triggerLines(view), ...ended.map((line) => `  ${line}`)];
  lines.push(
    `A run may cost ${creditsText(view.budget)} credits at most, all runs of a day ${creditsText(view.perDay)}.`,
  );
  if (curl !== undefined) lines.push(`Call it: ${curl}`);
  for (const { id, secret } of triggers)
    if (secret !== undefined)
      lines.push(
        `Webhook: ${relay}/v1/hooks/${view.name}/${id}`,
        `  secret, shown once: ${secretText(secret)} (https://www.standardwebhooks.com)`,
      );
  lines.push(`What happens: npx tabmesh logs ${view.name} -f`);
  return lines.join("\n");
}

const STATE_WORDS: Readonly<Record<DeploymentView["state"], string>> = {
  checking: "is being tried; nothing runs yet",
  ready: "runs",
  thin: "runs, with fewer owners than it asks for",
  failed: "did not pass its trial; nothing runs",
};

function stateLine({ name, version, state, trying, replicas, wanted }: DeploymentView): string {
  const healthy = replicas.filter((each) => each.healthy).length;
  const next = trying === undefined ? "" : `; version ${trying} is being tried`;
  const there = wanted === 0 ? "" : `, ${healthy} of ${wanted} ready`;
  return `${name}: version ${version} ${STATE_WORDS[state]}${there}${next}`;
}

function triggerLines({ triggers }: DeploymentView): readonly string[] {
  return triggers.map(({ id, words, next, waiting }) => {
    const when = next === undefined ? "" : `, next at ${new Date(next).toISOString()}`;
    return `  ${id}: ${words}${when}${waiting === 0 ? "" : `, ${waiting} waiting`}`;
  });
}

/** Looks until the version runs or is given up. */
async function settled(owner: AccountOwner, name: string, version: number): Promise<DeploymentView> {
  const until = Date.now() + TRIAL_MS;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- one look after the other
    const view = (await listDeployments(owner)).find((each) => each.name === name);
    if (view === undefined) throw new PlainError({ what: `${name} has ended while it was being tried.` });
    const isTrying = view.state === "checking" || view.trying === version;
    if (!isTrying || Date.now() > until) return view;
    // oxlint-disable-next-line no-await-in-loop -- as above
    await pause(LOOK_MS);
  }
}

/** Why the relay gave a version up, by its log. */
async function whyNot(owner: AccountOwner, name: string, version: number): Promise<string> {
  let why = "";
  for await (const { kind, words } of deploymentLog(owner, name))
    if (kind === "version" && words.startsWith(`version ${version} did not`)) why = words;
  return why;
}

/**
 * Deploys, and waits until the version runs.
 * @returns how it stands, and what of the version before has ended @throws PlainError when it does not pass its trial
 */
export async function deploySettled(
  owner: AccountOwner,
  terms: DeployTerms,
): Promise<{ readonly view: DeploymentView; readonly ended: readonly string[] }> {
  const { name, version = Date.now() } = terms;
  const before = (await listDeployments(owner)).find((each) => each.name === name);
  await deploy(owner, { ...terms, version });
  const view = await settled(owner, name, version);
  if (view.version !== version || view.state === "failed")
    throw new PlainError({
      what: `This version of ${name} does not run.`,
      why: await whyNot(owner, name, version),
      advice:
        view.version === version
          ? "Repair it and deploy it again."
          : `Version ${view.version} goes on. Repair this one and deploy it again.`,
    });
  return { view, ended: endedBy(before, view) };
}

export async function deployPlan(path: string, flags: DeployFlags): Promise<Exit> {
  const { plan } = await readPlan(path);
  const name = flags.name ?? slugOf(plan.name);
  const work = await findWork(plan, path, flags.with ?? []);
  const triggers = triggersOf([...(flags.every ?? []), ...(flags.on ?? [])], flags.missed, flags.zone);
  const params = paramsIn(plan, flags.param);
  const health = paramsIn(plan, flags.check);
  const isOpen = flags.http === true;
  requireStarts(plan, params ?? {}, { triggers, open: isOpen });
  const { view, ended } = await atRelay(flags.relay, async (owner) =>
    deploySettled(owner, {
      name,
      plan,
      replicas: flags.replicas,
      triggers,
      open: isOpen,
      budget: runCap(plan, flags.cap, await capGround(owner)),
      modules: [...work.modules.values()],
      ...(params === undefined ? {} : { params }),
      ...(health === undefined ? {} : { health }),
      ...(flags.perDay === undefined ? {} : { perDay: flags.perDay }),
    }),
  );
  const secrets = triggers.flatMap(({ id, secret }) =>
    secret === undefined
      ? []
      : [{ trigger: id, url: `${flags.relay}/v1/hooks/${name}/${id}`, secret: secretText(secret) }],
  );
  const url = `${flags.relay}/f/${name}`;
  const deployed = { view, ended, ...(isOpen ? { curl: curlLine(url, plan, params ?? {}) } : {}) };
  await say(
    flags,
    { deployment: view, ended, ...(isOpen ? { url } : {}), webhooks: secrets },
    deployedText(deployed, triggers, flags),
  );
  return EXIT.ok;
}

export async function endDeployment(name: string, flags: RelayFlags): Promise<Exit> {
  await atRelay(flags.relay, (owner) => undeploy(owner, name));
  await say(flags, { name }, `${name} has ended: nothing of it runs any more. Its log stays for a month.`);
  return EXIT.ok;
}

export async function showDeployments(flags: RelayFlags): Promise<Exit> {
  const views = await atRelay(flags.relay, listDeployments);
  const text = views
    .map((view) => {
      const { runs, failed, today, perDay } = view;
      const spent = `  ${runs} runs, ${failed} failed; today ${creditsText(today)} of ${creditsText(perDay)} credits`;
      return [stateLine(view), ...triggerLines(view), spent].join("\n");
    })
    .join("\n");
  await say(flags, { deployments: views }, text === "" ? "Nothing is deployed." : text);
  return EXIT.ok;
}
