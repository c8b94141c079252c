import { expect, test } from "vitest";
import { type Cid, cidOf, DAG_CBOR, RAW } from "../protocol/cid.ts";
import { MAX_ENVELOPE_BYTES, MAX_RUN_HOLDERS } from "../protocol/limits.ts";
import { type PeerId, peerIdFromKey } from "../protocol/peer-id.ts";
import { MAX_LISTED_RUN_JOBS, runStepEventJson, runViewJson } from "../protocol/run-json.ts";
import type { RunView } from "../protocol/run-views.ts";
import { microCredits, U64_MAX } from "../protocol/units.ts";
import { createRunRequests, type RelayRunEvent } from "./run-requests.ts";

const most = microCredits(U64_MAX);
const run: Cid = cidOf(DAG_CBOR, Uint8Array.of(1));

function peer(number: number): PeerId {
  return peerIdFromKey(new Uint8Array(32).fill(number));
}

/** As much as a relay says of a run. */
function largestView(): RunView {
  return {
    run,
    plan: run,
    name: "n".repeat(200),
    initiator: peer(1),
    payer: peer(2),
    state: "out-of-time",
    budget: most,
    spent: most,
    issuedAt: Number.MAX_SAFE_INTEGER,
    entryIndex: Number.MAX_SAFE_INTEGER,
    setAside: most,
    left: most,
    params: run,
    notAfter: Number.MAX_SAFE_INTEGER,
    returnTo: `https://${"a".repeat(1_000)}`,
    coordinators: Array.from({ length: MAX_RUN_HOLDERS + 1 }, (_, number) => ({
      peer: peer(number),
      silentMs: Number.MAX_SAFE_INTEGER,
    })),
    holdersRev: 65_535,
    steps: 100_000,
    endedAt: Number.MAX_SAFE_INTEGER,
    result: cidOf(RAW, Uint8Array.of(1)),
    code: 40_026,
    detail: "d".repeat(512),
    jobs: Array.from({ length: MAX_LISTED_RUN_JOBS }, (_, number) => ({
      job: cidOf(DAG_CBOR, Uint8Array.of(number & 0xff, number >> 8)),
      node: "n".repeat(64),
      turn: 65_535,
      coordinator: peer(7),
      state: "closing",
      cap: most,
      spent: most,
      refunded: most,
    })),
  };
}

test("the largest view of a run and the largest receipt come through as events, in pieces of any size", async () => {
  const view = largestView();
  const step = new Uint8Array(MAX_ENVELOPE_BYTES).fill(0xfe);
  const text = [
    `id: 4\nevent: step\ndata: ${JSON.stringify(runStepEventJson.write({ step }))}\n\n`,
    `: still here\n\nid: 4\nevent: later\ndata: {}\n\n`,
    `id: 4\nevent: run\ndata: ${JSON.stringify(runViewJson.write(view))}\n\n`,
  ].join("");
  const bytes = new TextEncoder().encode(text);
  const asked: (string | null)[] = [];
  const answering: typeof fetch = async (_input, init) => {
    const headers = new Headers(init?.headers);
    asked.push(headers.get("tabmesh-run-access"), headers.get("last-event-id"));
    return new Response(
      new ReadableStream({
        start(to) {
          for (let at = 0; at < bytes.length; at += 7_001) to.enqueue(bytes.slice(at, at + 7_001));
        },
      }),
    );
  };
  const client = createRunRequests({ baseUrl: "http://relay.test", fetch: answering });
  const leaving = new AbortController();
  const seen: RelayRunEvent[] = [];
  const access = Uint8Array.of(1, 2, 3);
  for await (const event of client.runEvents(run, access, { from: 4, signal: leaving.signal })) {
    seen.push(event);
    if (event.kind === "run") break;
  }
  leaving.abort();
  expect(seen).toEqual([
    { id: 4, kind: "step", step },
    { id: 4, kind: "run", run: view },
  ]);
  expect(asked).toEqual(["AQID", "3"]);
});
