import { FailureError } from "../../protocol/failure.ts";
import {
  MAX_PLAN_BYTES,
  MAX_RUN_PARAMS_BYTES,
  MAX_STEP_BATCH_BYTES,
  MAX_TASK_BYTES,
} from "../../protocol/limits.ts";
import { inclusionSchema } from "../../protocol/messages/receipt.ts";
import { runRegistrationSchema, stepBatchSchema, stepPageSchema } from "../../protocol/messages/run.ts";
import { RELAY_PATHS, RUN_ACCESS_HEADER, RUN_ROLES } from "../../protocol/relay-api.ts";
import {
  MAX_RUNS_PER_PAGE,
  nameViewJson,
  nameViewsJson,
  runStepEventJson,
  runSummariesJson,
  runViewJson,
} from "../../protocol/run-json.ts";
import { decode, encode } from "../../protocol/schema.ts";
import { addressGroup } from "../client-address.ts";
import { EVENT_HEARTBEAT_MS, MAX_MESSAGE_REQUEST_BYTES } from "../limits.ts";
import { STEPS_READ_AT_ONCE } from "../runs/limits.ts";
import type { RunReader } from "../runs/run-access.ts";
import type { RunListener } from "../runs/run-listeners.ts";
import type { RunningRuns } from "../runs/start-runs.ts";
import type { RelayContext, RelayHttp } from "./http-env.ts";
import { message, view } from "./message-routes.ts";
import { readMessage } from "./read-body.ts";
import { cidParam, oneOfParam, optionalUintParam, peerParam, textParam, uintParam } from "./read-params.ts";
import { BLOB_POLICY } from "./security-headers.ts";

const DEFAULT_RUNS = "50";
const MAX_REGISTRATION_BYTES: number = MAX_MESSAGE_REQUEST_BYTES + MAX_PLAN_BYTES + MAX_RUN_PARAMS_BYTES;
const MAX_BATCH_REQUEST_BYTES: number = MAX_STEP_BATCH_BYTES + 4_096;

export interface RunRouteParts {
  readonly runs: RunningRuns;
}

/** Runs of plans: what they cost is for everybody to see, as the log is; what they carry, for those alone who take part. */
export function addRunRoutes(http: RelayHttp, { runs }: RunRouteParts): void {
  const { desk, access, steps, values, names } = runs;
  const admitted = (c: RelayContext, does: "reads" | "leaves"): RunReader =>
    access.admit(cidParam("run", c.req.param("run")), c.req.header(RUN_ACCESS_HEADER), does);

  http.post(RELAY_PATHS.runs, async (c) => {
    const body = await readMessage(c, MAX_REGISTRATION_BYTES);
    const registration = decode(runRegistrationSchema, body, MAX_REGISTRATION_BYTES);
    return message(c, encode(inclusionSchema, await desk.register(registration)));
  });

  http.get(RELAY_PATHS.run, (c) =>
    view(c, runViewJson.write(desk.view(cidParam("run", c.req.param("run"))))),
  );

  http.post(RELAY_PATHS.runHolders, async (c) => {
    const run = cidParam("run", c.req.param("run"));
    return message(c, encode(inclusionSchema, await desk.setHolders(run, await readMessage(c))));
  });

  http.post(RELAY_PATHS.runEnd, async (c) => {
    const run = cidParam("run", c.req.param("run"));
    return message(c, encode(inclusionSchema, await desk.end(run, await readMessage(c))));
  });

  http.post(RELAY_PATHS.runSteps, async (c) => {
    const reader = admitted(c, "leaves");
    const body = await readMessage(c, MAX_BATCH_REQUEST_BYTES);
    steps.put(reader, decode(stepBatchSchema, body, MAX_BATCH_REQUEST_BYTES));
    return c.body(null, 204);
  });

  http.get(RELAY_PATHS.runSteps, (c) => {
    const { run } = admitted(c, "reads");
    const from = uintParam("from", c.req.query("from") ?? "0");
    return message(c, encode(stepPageSchema, steps.page(run.id, from)));
  });

  http.get(RELAY_PATHS.runEvents, (c) => {
    const { run } = admitted(c, "reads");
    const lastId = optionalUintParam("Last-Event-ID", c.req.header("last-event-id"));
    const listener = runs.listeners.listen(run.id, run.terms.payer, addressGroup(c.get("address")));
    const events = new RunEvents(runs, run, lastId === undefined ? 0 : lastId + 1);
    return c.body(eventStream(listener, events, c.req.raw.signal), 200, {
      "Content-Type": "text/event-stream",
      "Cache-Control": "no-store",
      "X-Accel-Buffering": "no",
    });
  });

  http.put(RELAY_PATHS.runValue, async (c) => {
    const { run } = admitted(c, "leaves");
    const cid = cidParam("cid", c.req.param("cid"));
    const announced = Number(c.req.header("content-length") ?? 0);
    if (announced > MAX_TASK_BYTES)
      throw new FailureError("too-large", `a value has at most ${MAX_TASK_BYTES} bytes`);
    await values.put(run.id, cid, announced, c.req.raw.body ?? new Blob([]).stream());
    return c.body(null, 204);
  });

  http.get(RELAY_PATHS.runValue, (c) => {
    const { run } = admitted(c, "reads");
    const cid = cidParam("cid", c.req.param("cid"));
    const blob = values.find(run.id, cid);
    if (blob === undefined) throw new FailureError("not-found", "no such value waits for this run");
    return c.body(blob.open(), 200, {
      "Content-Type": "application/octet-stream",
      "Content-Length": String(blob.size),
      "Content-Disposition": `attachment; filename="${cid}"`,
      "Content-Security-Policy": BLOB_POLICY,
      "X-Content-Type-Options": "nosniff",
      "Cache-Control": "private, no-store",
    });
  });

  http.get(RELAY_PATHS.accountRuns, (c) => {
    const peer = peerParam("peer", c.req.param("peer"));
    const before = optionalUintParam("before", c.req.query("before"));
    const limit = uintParam("limit", c.req.query("limit") ?? DEFAULT_RUNS, MAX_RUNS_PER_PAGE);
    const role = oneOfParam("role", c.req.query("role") ?? "account", RUN_ROLES);
    return view(c, runSummariesJson.write(desk.list(peer, role, before, limit)));
  });

  http.put(RELAY_PATHS.name, async (c) => {
    const name = textParam("name", c.req.param("name"), 63);
    return view(c, nameViewJson.write(names.put(name, await readMessage(c), c.get("address"))));
  });

  http.get(RELAY_PATHS.name, (c) =>
    view(c, nameViewJson.write(names.find(textParam("name", c.req.param("name"), 63)))),
  );

  http.get(RELAY_PATHS.accountNames, (c) =>
    view(c, nameViewsJson.write(names.of(peerParam("peer", c.req.param("peer"))))),
  );
}

/** What one listener is told next: receipts in order, and the run whenever it stands otherwise than it was told last. */
class RunEvents {
  readonly #runs: RunningRuns;
  readonly #run: RunReader["run"];
  #next: number;
  #told = "";

  constructor(runs: RunningRuns, run: RunReader["run"], next: number) {
    this.#runs = runs;
    this.#run = run;
    this.#next = next;
  }

  /** Whether there may be more at once. */
  isBehind = true;

  take(): string {
    const { steps, next, total } = this.#runs.steps.page(this.#run.id, this.#next, STEPS_READ_AT_ONCE);
    const first = this.#next;
    this.#next = next;
    this.isBehind = next < total;
    const events = steps.map((step, place) =>
      sent(first + place, "step", JSON.stringify(runStepEventJson.write({ step }))),
    );
    // The state of a run follows the receipts that led to it.
    if (!this.isBehind) events.push(this.#state());
    return events.join("");
  }

  #state(): string {
    const json = runViewJson.write(this.#runs.desk.view(this.#run.id));
    const text = JSON.stringify(json);
    const compared = text.replaceAll(/"silentMs":\d+/gu, "");
    if (compared === this.#told) return "";
    this.#told = compared;
    return sent(Math.max(0, this.#next - 1), "run", text);
  }
}

function sent(id: number, event: string, data: string): string {
  return `id: ${id}\nevent: ${event}\ndata: ${data}\n\n`;
}

/** Pulls: a listener that does not read is not buffered for. */
function eventStream(
  listener: RunListener,
  events: RunEvents,
  closed: AbortSignal,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  closed.addEventListener("abort", () => listener.end(), { once: true });
  return new ReadableStream<Uint8Array>(
    {
      async pull(to) {
        if (!events.isBehind) await listener.wait(EVENT_HEARTBEAT_MS);
        if (listener.ended) {
          to.close();
          return;
        }
        const text = events.take();
        to.enqueue(encoder.encode(text === "" ? ": still here\n\n" : text));
      },
      cancel: () => listener.end(),
    },
    { highWaterMark: 0 },
  );
}
