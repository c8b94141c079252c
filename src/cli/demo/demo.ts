import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Quality } from "../../../examples/raytrace/scene.ts";
import { createRelayViews, type RelayViews } from "../../provider/relay-views.ts";
import { relayConfig } from "../../relay/config.ts";
import { type Relay, startRelay } from "../../relay/start-relay.ts";
import type { UndoStack } from "../../relay/undo-stack.ts";
import { connect, type JobSummary, type Tabmesh } from "../../sdk/index.ts";
import { hasDisplay } from "../browser/display.ts";
import { ensureChromium } from "../browser/install-browser.ts";
import { DIST_FOLDER, ensureBuilt } from "../built-app.ts";
import { sha256Hex } from "../commands/map-inputs.ts";
import { meshGateway } from "../gateway/mesh-gateway.ts";
import { pictureLines, terminalLook } from "../picture/picture-display.ts";
import { loadPictureJob, type PictureJob, STUDIO_SCENE } from "../picture/picture-job.ts";
import { PlainError } from "../plain-error.ts";
import { JobDisplay } from "../progress/job-display.ts";
import { countText, creditsText, creditUnit } from "../quantities.ts";
import { failureLine } from "../summary.ts";
import { provenReceipt, receiptText, requireWebrtc, usedLeases } from "./evidence.ts";
import type { Narrator } from "./narrator.ts";
import { openProviderTab, type ProviderTab } from "./provider-tab.ts";

const SIZE = { width: 640, height: 360 } as const;
/** With WebRTC blocked every attempt fails after fifteen seconds; two of them are enough to say so. */
const NO_PROVIDER_MS = 20_000;
/** The last receipt settles within a second. */
const EARNINGS_TIMEOUT_MS = 10_000;
const EARNINGS_POLL_MS = 200;

export interface DemoOptions {
  readonly quality: Quality;
  readonly out: string;
  readonly blockWebrtc: boolean;
  readonly screen: NodeJS.WriteStream;
  readonly signal: AbortSignal;
}

/** What the last line of --json says. */
export interface DemoResult {
  readonly ok: true;
  readonly job: string;
  readonly tasks: number;
  readonly outputSha256: string;
  readonly receiptVerified: true;
  readonly inclusionVerified: true;
  readonly earnedMicroCredits: number;
  readonly transport: "webrtc";
}

export interface DemoEnd {
  readonly result: DemoResult;
  /** Where the page is while everything stays up. */
  readonly url: string;
}

/** The whole journey, with real parts. What it starts is in `undo`. @throws when any part of it does not hold. */
export async function demonstrate(
  options: DemoOptions,
  narrator: Narrator,
  undo: UndoStack,
): Promise<DemoEnd> {
  const { signal } = options;
  const relay = await startParts(narrator, undo);
  signal.throwIfAborted();
  const tab = await openTab(options, relay, narrator, undo);
  signal.throwIfAborted();
  const picture = await loadPictureJob(STUDIO_SCENE, { size: SIZE, quality: options.quality });
  const tabmesh = await connect({ relay: relay.url });
  undo.push(() => tabmesh.close());
  const summary = await narrator.step(
    "job",
    () => render(tabmesh, picture, options),
    ({ job, done }) => `${job}: ${countText(done, "tile")} rendered by the tab`,
  );
  const png = await picture.png();
  await mkdir(join(options.out, ".."), { recursive: true });
  await writeFile(options.out, png);
  const outputSha256 = sha256Hex(png);
  narrator.lines([`${options.out}  ${SIZE.width}×${SIZE.height}`, `sha256 ${outputSha256}`]);
  const earned = await showEvidence(summary, { relay, tab, testMoney: tabmesh.relay.testMoney }, narrator);
  return {
    result: {
      ok: true,
      job: summary.job,
      tasks: summary.tasks,
      outputSha256,
      receiptVerified: true,
      inclusionVerified: true,
      earnedMicroCredits: Number(earned),
      transport: "webrtc",
    },
    url: relay.url,
  };
}

async function startParts(narrator: Narrator, undo: UndoStack): Promise<Relay> {
  await narrator.step("app", ensureBuilt, (wasBuilt) => (wasBuilt ? "built" : "is built already"));
  return narrator.step(
    "relay",
    async () => {
      const dataDir = await mkdtemp(join(tmpdir(), "tabmesh-demo-"));
      undo.push(() => rm(dataDir, { recursive: true, force: true }));
      const started = await startRelay(
        // Both ends are on this machine: nobody has to tell them their addresses.
        relayConfig({ port: 0, dataDir, staticDir: DIST_FOLDER, iceServers: [], logLevel: "error" }),
        { gateway: meshGateway },
      );
      undo.push(() => started.stop());
      return started;
    },
    ({ url }) => `${url}, with an embedded database`,
  );
}

async function openTab(
  { blockWebrtc }: DemoOptions,
  relay: Relay,
  narrator: Narrator,
  undo: UndoStack,
): Promise<ProviderTab> {
  const executablePath = await ensureChromium((text) => narrator.lines([text]));
  const headless = !hasDisplay(process.env, process.platform);
  return narrator.step(
    "tab",
    async () => {
      const tab = await openProviderTab({ executablePath, headless, blockWebrtc });
      undo.push(() => tab.close());
      await tab.contribute(relay.url);
      return tab;
    },
    ({ version }) =>
      `${version}${headless ? ", headless" : ""}: switched on, consented, ready for work` +
      (blockWebrtc ? " (WebRTC is blocked on request)" : ""),
  );
}

async function render(
  tabmesh: Tabmesh,
  picture: PictureJob,
  { screen, signal, blockWebrtc }: DemoOptions,
): Promise<JobSummary> {
  const look = screen.isTTY ? terminalLook(screen) : undefined;
  if (look !== undefined) screen.write("\n");
  const display = new JobDisplay({
    screen,
    testMoney: tabmesh.relay.testMoney,
    total: picture.tiles.length,
    ...(look === undefined ? {} : { above: (columns) => pictureLines(picture.pixels, columns, look) }),
    nowMs: () => performance.now(),
  });
  const handle = await tabmesh.map(picture.module, picture.inputs, {
    signal,
    parallel: 1,
    noProviderTimeoutMs: NO_PROVIDER_MS,
    onProgress: (progress) => display.update(progress),
  });
  try {
    for await (const result of handle) {
      if (result.kind === "done") picture.place(result.index, result.output);
      else display.note(failureLine(`tile ${result.index}`, result));
    }
    const summary = await handle.summary;
    if (summary.done < picture.tiles.length)
      throw new PlainError({ what: `Only ${summary.done} of ${picture.tiles.length} tiles were rendered.` });
    return summary;
  } catch (error) {
    if (!blockWebrtc || signal.aborted || !(error instanceof Error)) throw error;
    throw new PlainError({
      what: "No task reached the tab: WebRTC is blocked in its browser.",
      why: error.message,
      advice: "Leave --block-webrtc out. In a network that blocks UDP, configure a TURN server.",
      cause: error,
    });
  } finally {
    display.end();
  }
}

interface Ground {
  readonly relay: Relay;
  readonly tab: ProviderTab;
  readonly testMoney: boolean;
}

/** Shows receipts, proofs and earnings, each checked. @returns micro-credits that the tab has earned. */
async function showEvidence(summary: JobSummary, ground: Ground, narrator: Narrator): Promise<bigint> {
  const { relay, tab, testMoney } = ground;
  const unit = creditUnit(testMoney);
  const leases = usedLeases(summary);
  let owed = 0n;
  for (const lease of leases) {
    const how = requireWebrtc(lease);
    // oxlint-disable-next-line no-await-in-loop -- shown one after the other
    const receipt = await provenReceipt(lease);
    if (!lease.receiptVerified || !lease.inclusionVerified || lease.entryIndex === undefined)
      throw new PlainError({
        what: "The relay did not prove that it logged the receipt.",
        why: lease.failure?.detail ?? `lease ${lease.lease}`,
      });
    owed += receipt.amount;
    narrator.heading("Receipt");
    narrator.lines([...receiptText(receipt, testMoney), `carried by ${how}`]);
    narrator.lines([
      "✓ both signatures hold, and the receipt follows from the outcomes",
      `✓ entry ${lease.entryIndex} of the log ${relay.origin}: inclusion proof verified against the signed checkpoint`,
    ]);
  }
  const provider = leases[0]?.provider;
  if (provider === undefined) throw new PlainError({ what: "The job ended without a lease that was used." });
  const earned = await earnedAt(createRelayViews(relay.url), provider, owed);
  narrator.heading("Earnings of the tab");
  narrator.lines([`relay  ${creditsText(earned)} ${unit} (account of ${provider})`]);
  narrator.lines([`page   ${await tab.shownEarnings(earned, testMoney)} (its Earnings page)`]);
  const entryIndex = leases.at(-1)?.entryIndex ?? 0;
  narrator.lines([`page   entry ${entryIndex}: ${await tab.verifyReceipt(entryIndex)}`]);
  return earned;
}

/** What the relay's account of the tab says, once it is all there. */
async function earnedAt(
  views: RelayViews,
  provider: Parameters<RelayViews["account"]>[0],
  owed: bigint,
): Promise<bigint> {
  const untilMs = performance.now() + EARNINGS_TIMEOUT_MS;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- asked again until it is so
    const { earned, pending } = await views.account(provider);
    if (earned + pending === owed) return owed;
    if (performance.now() > untilMs)
      throw new PlainError({
        what: "The relay's account of the tab does not match its receipts.",
        why: `It shows ${earned} settled and ${pending} pending micro-credits; the receipts say ${owed}.`,
      });
    // oxlint-disable-next-line no-await-in-loop
    await new Promise((resolve) => setTimeout(resolve, EARNINGS_POLL_MS));
  }
}
