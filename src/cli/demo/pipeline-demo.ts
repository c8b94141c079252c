import { pipeline } from "../../../examples/pipeline/plan.ts";
import { serveDocuments } from "../../../examples/pipeline/serve.ts";
import type { Cid } from "../../protocol/cid.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { UndoStack } from "../../relay/undo-stack.ts";
import { connect, type Tabmesh } from "../../sdk/index.ts";
import { findWork } from "../plan/find-work.ts";
import { PlainError } from "../plain-error.ts";
import { tail } from "../plan/node-words.ts";
import { finish } from "../plan/run-over-mesh.ts";
import { RunDisplay, type RunScreen } from "../plan/run-display.ts";
import { type FinishedRun, runFailureText } from "../plan/run-report.ts";
import { nodesOf } from "../plan/run-tally.ts";
import { verdictOn } from "../plan/verify-record.ts";
import { countText, creditsText, creditUnit } from "../quantities.ts";
import type { Narrator } from "./narrator.ts";
import { prepareModel } from "./sentence-model.ts";
import { blockedTrouble, type DemoOptions, NO_PROVIDER_MS, openTabs, startParts } from "./stage.ts";

/** Each document is fetched, cut and embedded by three tabs, and a fourth one may have another in the meantime. */
const TABS = 4;
const QUESTION = "How do I get my money back?";
/** The folder of the plan, where its functions are. */
const PLAN = new URL("../../../examples/pipeline/plan.ts", import.meta.url);

/** What the last line of --json says. */
export interface PipelineDemoResult {
  readonly ok: true;
  readonly run: Cid;
  /** Tabs that carried out steps. */
  readonly providers: number;
  /** Nodes of the plan. */
  readonly nodes: number;
  /** Receipts of tabs and of the relay. */
  readonly receipts: number;
  readonly runVerified: true;
  readonly costMicroCredits: number;
  readonly question: string;
  readonly best: string;
}

interface Found {
  readonly score: number;
  readonly text: string;
  readonly url: string;
}

/** Documents are collected, cut, embedded and ranked by tabs that hand their values on to each other. What it starts is in `undo`. @throws when any part of it does not hold. */
export async function demonstratePipeline(
  options: DemoOptions,
  narrator: Narrator,
  undo: UndoStack,
): Promise<{ readonly result: PipelineDemoResult; readonly url: string }> {
  const { signal } = options;
  const documents = await narrator.step(
    "web",
    async () => {
      const server = await serveDocuments(0);
      undo.push(() => server.close());
      return server;
    },
    ({ names, port }) => `an ordinary server with ${countText(names.length, "document")} at port ${port}`,
  );
  const origin = `http://127.0.0.1:${documents.port}`;
  const relay = await startParts(narrator, undo);
  signal.throwIfAborted();
  const model = await prepareModel(relay, narrator, undo);
  signal.throwIfAborted();
  await openTabs(
    options,
    relay,
    { count: TABS, prepare: (tab) => tab.allowFetch(relay.url, origin) },
    narrator,
    undo,
  );
  signal.throwIfAborted();
  const tabmesh = await connect({ relay: relay.url });
  undo.push(() => tabmesh.close());
  const urls = documents.names.map((name) => `${origin}/${name}`);
  const finished = await narrator.step(
    "run",
    () => run(tabmesh, { origin, model: model.cid, urls }, options),
    ({ run: id, record }) => `${id}: ${countText(record.steps.length, "receipt")}`,
  );
  return {
    result: await shown(finished, tabmesh.relay, narrator),
    url: `${relay.url}/#/runs`,
  };
}

interface Wanted {
  readonly origin: string;
  readonly model: Cid;
  readonly urls: readonly string[];
}

async function run(
  tabmesh: Tabmesh,
  { origin, model, urls }: Wanted,
  options: DemoOptions,
): Promise<FinishedRun> {
  const { screen, signal } = options;
  const plan = pipeline({ origins: [origin], model });
  const { modules } = await findWork(plan, PLAN.pathname, []);
  const { testMoney } = tabmesh.relay;
  if (screen.isTTY) screen.write("\n");
  const display = new RunDisplay({
    screen: indented(screen),
    plan,
    money: { testMoney, isFree: false },
    quiet: false,
  });
  try {
    const started = await tabmesh.startRun(
      plan,
      { documents: urls, question: QUESTION },
      {
        modules: [...modules.values()],
        noProviderTimeoutMs: NO_PROVIDER_MS,
        signal,
        onEvent: (event) => display.add(event),
      },
    );
    const finished = await finish(started, testMoney, signal);
    if (finished.failure !== undefined)
      throw new PlainError({
        what: "The run failed.",
        why: runFailureText(finished, finished.failure)
          .trim()
          .replace(/^tabmesh: /u, ""),
      });
    return finished;
  } catch (error) {
    throw blockedTrouble(error, options);
  } finally {
    display.end();
  }
}

/** Lines of a log stand below the step that they are about. */
function indented(screen: NodeJS.WriteStream): RunScreen {
  if (screen.isTTY) return screen;
  return { isTTY: false, write: (text) => screen.write(text.replaceAll(/^(?=.)/gmu, "    ")) };
}

function isFound(value: unknown): value is readonly Found[] {
  return Array.isArray(value) && value.length > 0;
}

/** Answers, tabs and proof, as a person reads them. @throws PlainError unless the receipts prove the run. */
async function shown(
  finished: FinishedRun,
  relay: Tabmesh["relay"],
  narrator: Narrator,
): Promise<PipelineDemoResult> {
  const { run: id, plan, record, money, result } = finished;
  const value: unknown =
    result === undefined ? undefined : JSON.parse(new TextDecoder().decode(result.bytes));
  const answers: unknown =
    typeof value === "object" && value !== null ? Reflect.get(value, "answers") : undefined;
  if (!isFound(answers)) throw new PlainError({ what: "The run came to no answers." });
  narrator.heading(`Closest to “${QUESTION}”`);
  narrator.lines(answers.map(({ score, text }) => `${(score / 1_000).toFixed(3)}  ${text}`));
  const verdict = await verdictOn(record);
  if (!verdict.ok)
    throw new PlainError({
      what: "The receipts of the run do not prove it.",
      why: verdict.problems.join("; "),
    });
  const cost = money?.spent ?? 0n;
  const { peers: tabs } = verdict;
  narrator.heading("Proof");
  narrator.lines([
    `✓ ${verdict.text}: every signature holds, and every step follows from the ones before`,
    `✓ ${countText(tabs.length, "tab")} took part: ${tabs.map((peer: PeerId) => tail(peer)).join(", ")}`,
    `✓ ${creditsText(cost)} ${creditUnit(relay.testMoney)} in all, of at most ${creditsText(money?.budget ?? 0n)}`,
  ]);
  return {
    ok: true,
    run: id,
    providers: tabs.length,
    nodes: nodesOf(plan.graph).length,
    receipts: record.steps.length,
    runVerified: true,
    costMicroCredits: Number(cost),
    question: QUESTION,
    best: answers[0]?.text ?? "",
  };
}
