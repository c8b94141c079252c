import { RELAY_PATHS } from "../../protocol/relay-api.ts";
import { EVENT_HEARTBEAT_MS } from "../limits.ts";
import { addressGroup } from "../client-address.ts";
import type { AccountEvent, Subscription } from "../account-events.ts";
import type { HttpParts } from "./http-parts.ts";
import type { RelayHttp } from "./http-env.ts";
import { optionalUintParam, peerParam } from "./read-params.ts";

/** Server-sent events of one account: WHATWG HTML §9.2, resumed by Last-Event-ID. */
export function addEventRoutes(http: RelayHttp, { events }: HttpParts): void {
  http.get(RELAY_PATHS.accountEvents, (c) => {
    const peer = peerParam("peer", c.req.param("peer"));
    const lastId = optionalUintParam("Last-Event-ID", c.req.header("last-event-id"));
    const subscription = events.subscribe(peer, addressGroup(c.get("address")), lastId);
    return c.body(eventStream(subscription, c.req.raw.signal), 200, {
      "Content-Type": "text/event-stream",
      "Cache-Control": "no-store",
      "X-Accel-Buffering": "no",
    });
  });
}

/** Pulls: a listener that does not read is not buffered for. A comment goes out when there is nothing to tell. */
function eventStream(subscription: Subscription, closed: AbortSignal): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  closed.addEventListener("abort", () => subscription.end(), { once: true });
  return new ReadableStream<Uint8Array>(
    {
      async pull(to) {
        const events = await subscription.next(EVENT_HEARTBEAT_MS);
        if (events === undefined) to.close();
        else
          to.enqueue(encoder.encode(events.length === 0 ? ": still here\n\n" : events.map(write).join("")));
      },
      cancel: () => subscription.end(),
    },
    { highWaterMark: 0 },
  );
}

function write({ id, event, data }: AccountEvent): string {
  return `id: ${id}\nevent: ${event}\ndata: ${data}\n\n`;
}
