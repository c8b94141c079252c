import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BrowserContext, expect, type Page, test } from "@playwright/test";
import { type Answers, pipeline, SENTENCES } from "../examples/pipeline/plan.ts";
import { serveDocuments } from "../examples/pipeline/serve.ts";
import { findWork } from "../src/cli/plan/find-work.ts";
import { runPlanLocally } from "../src/cli/plan/local/run-plan-locally.ts";
import { planCid } from "../src/plan/plan-codec.ts";
import type { NodeId, Plan } from "../src/plan/plan.ts";
import type { RunEvent } from "../src/plan/runner-ports.ts";
import { verifyRun } from "../src/plan/verify/verify-run.ts";
import type { Cid } from "../src/protocol/cid.ts";
import { verifierOf } from "../src/protocol/ed25519.ts";
import { relayConfig } from "../src/relay/config.ts";
import { type Relay, startRelay } from "../src/relay/start-relay.ts";
import { connect, type PlanRunSummary, type Tabmesh } from "../src/sdk/index.ts";
import { publish, sentencesFile } from "./support/mesh-models.ts";
import { overridePressure } from "./support/pressure.ts";
import { contribute, launchChromium } from "./support/tab.ts";

/** The pipeline of examples/pipeline with tabs of a real browser, some of which are killed while it runs. */

const QUESTION = "How do I get my money back?";
const PLAN_FILE = fileURLToPath(new URL("../examples/pipeline/plan.ts", import.meta.url));
const DIST = process.env["RELAY_STATIC"] ?? fileURLToPath(new URL("../dist", import.meta.url));

const open: (() => Promise<unknown> | void)[] = [];
/** Of one test alone. */
const tabsOpen: (() => Promise<unknown>)[] = [];
test.afterEach(async () => {
  for (const close of tabsOpen.splice(0)) await close();
});
test.afterAll(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});

/** A tab that contributes, and the account that it works for. */
interface Tab {
  readonly peer: string;
  /** Its process is gone: no goodbye. */
  kill(): Promise<void>;
}

/** The person lets others ask this server from the tab. */
async function allowFetch(page: Page, origin: string): Promise<void> {
  await page.getByText("What this tab may do for others").first().click();
  await page.getByRole("radio", { name: "Only these" }).check();
  const servers = page.getByRole("textbox", { name: /^Servers, one a line/u });
  await servers.fill(origin);
  await servers.blur();
}

async function openTab(context: BrowserContext, url: string, origin: string): Promise<Tab> {
  const page = await context.newPage();
  const peer = new Promise<string>((resolve) => {
    page.on("request", (request) => {
      const found = /^\/v1\/accounts\/([^/]+)/u.exec(new URL(request.url()).pathname)?.[1];
      if (found !== undefined) resolve(found);
    });
  });
  await overridePressure(page);
  await page.goto(url);
  await allowFetch(page, origin);
  await contribute(page);
  await page.getByRole("navigation").getByRole("link", { name: "Earnings" }).click();
  return { peer: await peer, kill: () => crash(page) };
}

async function crash(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const crashed = new Promise((resolve) => page.once("crash", resolve));
  void session.send("Page.crash").catch(() => undefined);
  await crashed;
}

interface Scene {
  readonly relay: Relay;
  readonly tabmesh: Tabmesh;
  readonly origin: string;
  readonly urls: readonly string[];
  readonly model: Cid;
  readonly modelFile: string;
}

async function startScene(): Promise<Scene> {
  const folder = mkdtempSync(join(tmpdir(), "tabmesh-pipeline-"));
  open.push(() => rmSync(folder, { recursive: true, force: true }));
  const documents = await serveDocuments(0);
  open.push(() => documents.close());
  const origin = `http://127.0.0.1:${documents.port}`;
  const relay = await startRelay(
    relayConfig({
      port: 0,
      dataDir: folder,
      staticDir: DIST,
      iceServers: [],
      logLevel: "error",
    }),
  );
  open.push(() => relay.stop());
  const modelFile = await sentencesFile(folder);
  const { cid } = await publish(relay.url, modelFile, "sentences");
  // The plan names the model that everybody makes of the same package.
  expect(cid).toBe(SENTENCES);
  const tabmesh = await connect({ relay: relay.url, iceServers: [] });
  open.push(() => tabmesh.close());
  // Twice the documents: every tab has its share of every stage, and what is there twice is folded by the last one.
  const urls = ["?once", "?again"].flatMap((again) =>
    documents.names.map((name) => `${origin}/${name}${again}`),
  );
  return { relay, tabmesh, origin, urls, model: cid, modelFile };
}

async function openTabs({ relay, origin }: Scene, count: number): Promise<readonly Tab[]> {
  const browser = await launchChromium();
  tabsOpen.push(() => browser.close());
  const contexts = await Promise.all(Array.from({ length: count }, () => browser.newContext()));
  return Promise.all(contexts.map((context) => openTab(context, relay.url, origin)));
}

/** What this process comes to by itself: every bit of it is what tabs have to come to. */
async function answersHere(scene: Scene, plan: Plan): Promise<Answers> {
  const work = await findWork(plan, PLAN_FILE, [scene.modelFile]);
  const finished = await runPlanLocally(
    { path: PLAN_FILE, plan, cid: planCid(plan) },
    {
      params: { documents: scene.urls, question: QUESTION },
      work,
      localOrigins: [scene.origin],
      onEvent: () => undefined,
      signal: new AbortController().signal,
    },
  );
  return JSON.parse(new TextDecoder().decode(finished.result?.bytes)) as Answers;
}

interface Disturbed {
  readonly answers: unknown;
  readonly summary: PlanRunSummary;
  readonly killed: readonly string[];
  readonly events: readonly RunEvent[];
}

/** Runs the plan; the first tab that signs for a step of each of these nodes is killed, with all that it holds. */
async function runDisturbed(
  { tabmesh, urls }: Scene,
  plan: Plan,
  tabs: readonly Tab[],
  stages: readonly NodeId[],
): Promise<Disturbed> {
  const { modules } = await findWork(plan, PLAN_FILE, []);
  const left = new Set(stages);
  const events: RunEvent[] = [];
  const killed: string[] = [];
  const kills: Promise<void>[] = [];
  const run = await tabmesh.startRun(
    plan,
    { documents: urls, question: QUESTION },
    {
      modules: [...modules.values()],
      hedgeAfterMs: 10_000,
      onEvent(event) {
        events.push(event);
        if (event.kind !== "ended" || event.status !== "done" || !left.has(event.node)) return;
        const victim = tabs.find(({ peer }) => peer === event.peer && !killed.includes(peer));
        if (victim === undefined) return;
        left.delete(event.node);
        killed.push(victim.peer);
        kills.push(victim.kill());
      },
    },
  );
  const { value } = await run.result();
  await Promise.all(kills);
  const summary = await run.summary;
  const check = await verifyRun(run.record(), verifierOf(crypto.subtle));
  expect(check.problems).toEqual([]);
  expect(check.ok).toBe(true);
  expect([...left]).toEqual([]);
  return { answers: value, summary, killed, events };
}

let scene: Scene;
test.beforeAll(async () => {
  scene = await startScene();
});

/** Carries the pipeline out while tabs are killed, and compares it with what is computed here. @returns tabs that took part */
async function expectUndisturbed(count: number, stages: readonly NodeId[]): Promise<number> {
  const tabs = await openTabs(scene, count);
  const plan = pipeline({ origins: [scene.origin], model: scene.model });
  const { answers, summary, killed } = await runDisturbed(scene, plan, tabs, stages);
  expect(answers).toEqual(await answersHere(scene, plan));
  const { answers: best, unread } = answers as Answers;
  expect(unread).toEqual([]);
  expect(best[0]).toMatchObject({ again: 1, text: expect.stringMatching(/money back/u) });
  const took = tabs.map(({ peer }) => peer).filter((peer) => summary.providers.some((each) => each === peer));
  expect(took).toEqual(expect.arrayContaining([...killed]));
  expect(summary.failed).toBe(0);
  expect(summary.spent).toBeLessThanOrEqual(summary.budget);
  return took.length;
}

test("five tabs carry the pipeline out; one is killed when it has cut a document, one when it has embedded one: the same answers to the bit, and the receipts prove them", async () => {
  expect(await expectUndisturbed(5, ["passages", "embedded"])).toBeGreaterThanOrEqual(4);
});

test("seven tabs, and one is killed in each stage: collecting, cutting, embedding, ranking @long", async () => {
  test.setTimeout(240_000);
  expect(await expectUndisturbed(7, ["page", "passages", "embedded", "ranked"])).toBeGreaterThanOrEqual(5);
});
