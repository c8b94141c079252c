import {
  deploymentViewJson,
  deploymentViewsJson,
  type LogLine,
  logLineJson,
  logLinesJson,
} from "../../protocol/deployment-view.ts";
import { FailureError } from "../../protocol/failure.ts";
import { RELAY_PATHS } from "../../protocol/relay-api.ts";
import type { DeploymentDesk } from "../deployments/deployment-desk.ts";
import type { Following } from "../deployments/deployment-log.ts";
import { MAX_HOOK_BYTES } from "../deployments/limits.ts";
import type { RunningDeployments } from "../deployments/start-deployments.ts";
import { EVENT_HEARTBEAT_MS } from "../limits.ts";
import type { RelayContext, RelayHttp } from "./http-env.ts";
import { view } from "./message-routes.ts";
import { readMessage } from "./read-body.ts";
import { optionalUintParam, uintParam } from "./read-params.ts";

export interface DeploymentRouteParts {
  /** Absent where the relay runs no plans by itself. */
  readonly deployments?: RunningDeployments;
}

function required(deployments: RunningDeployments | undefined): RunningDeployments {
  if (deployments === undefined) throw new FailureError("not-found", "this relay deploys nothing");
  return deployments;
}

/** Deployments: all by messages that their owner signs, and webhooks by their own secrets. */
export function addDeploymentRoutes(http: RelayHttp, { deployments }: DeploymentRouteParts): void {
  http.put(RELAY_PATHS.deployments, async (c) =>
    view(c, deploymentViewJson.write(await required(deployments).desk.deploy(await readMessage(c)))),
  );

  http.post(RELAY_PATHS.deploymentRequests, async (c) => {
    const { desk } = required(deployments);
    const answer = desk.ask(await readMessage(c));
    switch (answer.does) {
      case "list":
        return view(c, deploymentViewsJson.write(answer.views));
      case "logs":
        return logs(c, desk, answer.name);
      case "undeploy":
        return c.body(null, 204);
      default:
        return answer satisfies never;
    }
  });

  http.post(RELAY_PATHS.hook, async (c) => {
    const { calls } = required(deployments);
    const body = await readMessage(c, MAX_HOOK_BYTES);
    const hook = calls.hook(c.req.param("name"), c.req.param("trigger"), {
      id: c.req.header("webhook-id"),
      timestamp: c.req.header("webhook-timestamp"),
      signature: c.req.header("webhook-signature"),
      contentType: mediaType(c),
      body,
    });
    return c.json(hook, hook.fresh ? 202 : 200);
  });
}

/** Without its parameters, in small letters; "" where there is none. */
export function mediaType(c: RelayContext): string {
  return (c.req.header("content-type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
}

function logs(c: RelayContext, desk: DeploymentDesk, name: string): Response {
  const last = optionalUintParam("Last-Event-ID", c.req.header("last-event-id"));
  const from = last === undefined ? uintParam("from", c.req.query("from") ?? "0") : last + 1;
  if (c.req.query("follow") === undefined) return view(c, logLinesJson.write(desk.lines(name, from)));
  const following = desk.follow(name, from);
  return c.body(lineStream(following, c.req.raw.signal), 200, {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
  });
}

/** Pulls: a listener that does not read is not buffered for. A comment goes out when there is nothing to tell. */
function lineStream(following: Following, closed: AbortSignal): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  closed.addEventListener("abort", () => following.end(), { once: true });
  return new ReadableStream<Uint8Array>(
    {
      async pull(to) {
        const lines = await following.next(EVENT_HEARTBEAT_MS);
        if (lines === undefined) to.close();
        else to.enqueue(encoder.encode(lines.length === 0 ? ": still here\n\n" : lines.map(write).join("")));
      },
      cancel: () => following.end(),
    },
    { highWaterMark: 0 },
  );
}

function write(line: LogLine): string {
  return `id: ${line.seq}\nevent: line\ndata: ${JSON.stringify(logLineJson.write(line))}\n\n`;
}
