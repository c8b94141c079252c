import { FailureError } from "../../protocol/failure.ts";
import { RELAY_PATHS } from "../../protocol/relay-api.ts";
import { modelPeersJson, publishedModelJson, publishedModelsJson } from "../../protocol/relay-json.ts";
import type { RelayHttp } from "./http-env.ts";
import type { HttpParts } from "./http-parts.ts";
import { view } from "./message-routes.ts";
import { readMessage } from "./read-body.ts";
import { cidParam } from "./read-params.ts";

/** Published models: a list that clients of OpenAI's interface understand, and what publishers send. */
export function addModelRoutes(http: RelayHttp, { models }: HttpParts): void {
  http.get(RELAY_PATHS.models, (c) => view(c, publishedModelsJson.write(models.list())));

  http.post(RELAY_PATHS.models, async (c) =>
    view(c, publishedModelJson.write(await models.publish(await readMessage(c)))),
  );

  http.get(RELAY_PATHS.model, (c) => {
    const found = models.find(c.req.param("model"));
    if (found === undefined) throw new FailureError("not-found", "no such model is published here");
    return view(c, publishedModelJson.write(found));
  });

  http.post(RELAY_PATHS.unpublishModel, async (c) => {
    models.unpublish(c.req.param("model"), await readMessage(c));
    return c.body(null, 204);
  });

  http.get(RELAY_PATHS.modelPeers, (c) =>
    view(c, modelPeersJson.write(models.peers(cidParam("model", c.req.param("model"))))),
  );
}
