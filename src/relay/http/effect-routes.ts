import { RELAY_PATHS } from "../../protocol/relay-api.ts";
import { MAX_PARCEL_BYTES } from "../effects/effect-desk.ts";
import type { RelayHttp } from "./http-env.ts";
import type { HttpParts } from "./http-parts.ts";
import { message } from "./message-routes.ts";
import { readMessage } from "./read-body.ts";
import { cidParam } from "./read-params.ts";

/** Effects of runs that the relay carries out itself. */
export function addEffectRoutes(http: RelayHttp, { effects }: Pick<HttpParts, "effects">): void {
  http.post(RELAY_PATHS.runEffects, async (c) => {
    const run = cidParam("run", c.req.param("run"));
    return message(c, await effects.perform(run, await readMessage(c, MAX_PARCEL_BYTES)));
  });
}
