import type { Cid } from "../../protocol/cid.ts";
import type { UndoStack } from "../../relay/undo-stack.ts";
import { connect, type Embeddings, rank, type Tabmesh } from "../../sdk/index.ts";
import { PlainError } from "../plain-error.ts";
import { JobDisplay } from "../progress/job-display.ts";
import { countText } from "../quantities.ts";
import type { Narrator } from "./narrator.ts";
import { prepareModel } from "./sentence-model.ts";
import { showEvidence } from "./show-evidence.ts";
import { blockedTrouble, type DemoOptions, NO_PROVIDER_MS, openTab, startParts } from "./stage.ts";

const QUERY = "How do I get my money back?";
const LINES: readonly string[] = [
  "Returns are accepted within 30 days of delivery.",
  "Our office is closed on public holidays.",
  "You can change your password in the settings.",
  "We refund the full price if an item arrives broken.",
  "Parcels leave the warehouse every weekday at noon.",
  "Write to us if you want to work here.",
  "The battery lasts about ten hours.",
  "Payments are charged when the order ships.",
];

/** What the last line of --json says. */
export interface ModelDemoResult {
  readonly ok: true;
  readonly job: string;
  /** CID of the model's manifest. */
  readonly model: string;
  readonly texts: number;
  readonly dimensions: number;
  readonly query: string;
  readonly best: string;
  readonly receiptVerified: true;
  readonly inclusionVerified: true;
  /** The vector of the best line, computed again here, has the same bits. */
  readonly recomputedEqual: true;
  readonly earnedMicroCredits: number;
  readonly transport: "webrtc";
}

/** A tab turns lines into vectors, is paid for it, and is checked. What it starts is in `undo`. @throws when any part of it does not hold. */
export async function demonstrateModel(
  options: DemoOptions,
  narrator: Narrator,
  undo: UndoStack,
): Promise<{ readonly result: ModelDemoResult; readonly url: string }> {
  const { signal } = options;
  const relay = await startParts(narrator, undo);
  signal.throwIfAborted();
  const model = await prepareModel(relay, narrator, undo);
  signal.throwIfAborted();
  const tab = await openTab(options, relay, narrator, undo);
  signal.throwIfAborted();
  const tabmesh = await connect({ relay: relay.url });
  undo.push(() => tabmesh.close());
  const made = await narrator.step(
    "job",
    () => embed(tabmesh, model.cid, options),
    ({ summary, vectors }) =>
      `${summary.job}: ${countText(vectors.length, "text")} turned into vectors by the tab`,
  );
  const best = showRanking(made, narrator);
  const earned = await showEvidence(
    made.summary,
    { relay, tab, testMoney: tabmesh.relay.testMoney },
    narrator,
  );
  await narrator.step(
    "check",
    () => recompute(model.path, LINES[best] ?? "", made.vectors[best + 1]),
    (backend) =>
      `the best line's vector, computed again here (${backend}): all ${made.dimensions} values have the same bits`,
  );
  return {
    result: {
      ok: true,
      job: made.summary.job,
      model: model.cid,
      texts: made.vectors.length,
      dimensions: made.dimensions,
      query: QUERY,
      best: LINES[best] ?? "",
      receiptVerified: true,
      inclusionVerified: true,
      recomputedEqual: true,
      earnedMicroCredits: Number(earned),
      transport: "webrtc",
    },
    url: `${relay.url}/#/search`,
  };
}

async function embed(tabmesh: Tabmesh, model: Cid, options: DemoOptions): Promise<Embeddings> {
  const { screen, signal } = options;
  if (screen.isTTY) screen.write("\n");
  const display = new JobDisplay({
    screen,
    testMoney: tabmesh.relay.testMoney,
    nowMs: () => performance.now(),
  });
  try {
    return await tabmesh.embed(model, [QUERY, ...LINES], {
      signal,
      parallel: 1,
      noProviderTimeoutMs: NO_PROVIDER_MS,
      onProgress: (progress) => display.update(progress),
    });
  } catch (error) {
    throw blockedTrouble(error, options);
  } finally {
    display.end();
  }
}

/** @returns index of the line that is most like the query */
function showRanking({ vectors: [query, ...vectors] }: Embeddings, narrator: Narrator): number {
  const ranked = query === undefined ? [] : rank(query, vectors);
  narrator.heading(`Closest to “${QUERY}”`);
  narrator.lines(ranked.map(({ index, score }) => `${score.toFixed(3)}  ${LINES[index] ?? ""}`));
  const [first] = ranked;
  if (first === undefined) throw new PlainError({ what: "No vector came back." });
  return first.index;
}

/** @throws PlainError unless this machine computes the same bits. @returns what computed it */
async function recompute(path: string, text: string, vector: Int16Array | undefined): Promise<string> {
  const { openModel } = await import("../../relay/models/open-model.ts");
  const opened = await openModel(path, "wasm");
  if (opened.kind !== "encoder") throw new PlainError({ what: `${path} is no sentence encoder.` });
  try {
    for await (const again of opened.embedder.embed([text])) {
      const isSame =
        vector?.length === again.vector.length && again.vector.every((value, i) => value === vector[i]);
      if (!isSame)
        throw new PlainError({
          what: "The tab's vector is not what the model computes.",
          why: `“${text}” gives other values here.`,
        });
    }
    return "WebAssembly";
  } finally {
    opened.embedder.encoder.close();
  }
}
