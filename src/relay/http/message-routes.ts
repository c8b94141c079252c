import { leaseAnswerSchema } from "../../protocol/messages/lease.ts";
import { inclusionSchema, reportAnswerSchema } from "../../protocol/messages/receipt.ts";
import { MESSAGE_TYPE, RELAY_PATHS } from "../../protocol/relay-api.ts";
import { jobViewJson, relayInfoJson } from "../../protocol/relay-json.ts";
import { encode } from "../../protocol/schema.ts";
import { FailureError } from "../../protocol/failure.ts";
import type { HttpParts } from "./http-parts.ts";
import type { RelayContext, RelayHttp } from "./http-env.ts";
import { cidParam } from "./read-params.ts";
import { readMessage } from "./read-body.ts";

/** Answers with one dag-cbor message. */
export function message(c: RelayContext, bytes: Uint8Array<ArrayBuffer>): Response {
  return c.body(bytes, 200, { "Content-Type": MESSAGE_TYPE, "Cache-Control": "no-store" });
}

/** Answers with a view for people, made anew each time. */
export function view(c: RelayContext, json: unknown): Response {
  return c.body(JSON.stringify(json), 200, {
    "Content-Type": "application/json",
    "Cache-Control": "no-store",
  });
}

/** What requesters and providers send: jobs, what ends them, reports, revocations. */
export function addMessageRoutes(http: RelayHttp, { info, books, jobs, reports }: HttpParts): void {
  http.get(RELAY_PATHS.relay, (c) => view(c, relayInfoJson.write(info())));

  http.post(RELAY_PATHS.jobs, async (c) =>
    message(c, encode(leaseAnswerSchema, await jobs.open(await readMessage(c)))),
  );

  http.get(RELAY_PATHS.job, (c) => {
    const found = books.job(cidParam("job", c.req.param("job")));
    if (found === undefined) throw new FailureError("not-found", "no such job");
    return view(c, jobViewJson.write(found));
  });

  http.post(RELAY_PATHS.closeJob, async (c) => {
    const job = cidParam("job", c.req.param("job"));
    return view(c, jobViewJson.write(await jobs.close(job, await readMessage(c))));
  });

  http.post(RELAY_PATHS.cancelLease, async (c) => {
    const lease = cidParam("lease", c.req.param("lease"));
    return view(c, jobViewJson.write(await jobs.cancel(lease, await readMessage(c))));
  });

  http.post(RELAY_PATHS.reports, async (c) =>
    message(c, encode(reportAnswerSchema, await reports.report(await readMessage(c)))),
  );

  http.post(RELAY_PATHS.revocations, async (c) =>
    message(c, encode(inclusionSchema, await reports.revoke(await readMessage(c)))),
  );
}
