import { alertTrialJson, alertViewJson, alertViewsJson, pushKeyJson } from "../../protocol/alert-view.ts";
import { RELAY_PATHS } from "../../protocol/relay-api.ts";
import type { AlertDesk } from "../alerts/alert-desk.ts";
import type { RelayHttp } from "./http-env.ts";
import { view } from "./message-routes.ts";
import { readMessage } from "./read-body.ts";

/** Alerts: all by messages that the account signs, answered to nobody else. */
export function addAlertRoutes(http: RelayHttp, { alerts }: { readonly alerts: AlertDesk }): void {
  http.get(RELAY_PATHS.pushKey, async (c) => view(c, pushKeyJson.write({ key: await alerts.pushKey() })));

  http.post(RELAY_PATHS.alerts, async (c) =>
    view(c, alertViewJson.write(await alerts.add(await readMessage(c)))),
  );

  http.post(RELAY_PATHS.alertRequests, async (c) => {
    const answer = await alerts.ask(await readMessage(c));
    if (answer === undefined) return c.body(null, 204);
    return view(c, "ok" in answer ? alertTrialJson.write(answer) : alertViewsJson.write(answer));
  });
}
