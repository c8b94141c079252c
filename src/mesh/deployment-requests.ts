import {
  type DeploymentView,
  deploymentViewJson,
  deploymentViewsJson,
  type LogLine,
  logLineJson,
  logLinesJson,
} from "../protocol/deployment-view.ts";
import { MESSAGE_TYPE, RELAY_PATHS } from "../protocol/relay-api.ts";
import { eventId, parseJson, relayEvents } from "./relay-events.ts";
import { exchangeBytes } from "./relay-exchange.ts";
import { exchangeOptions, MAX_VIEW_BYTES, type RelayClientOptions, view } from "./relay-queries.ts";

/** A thousand lines of a kilobyte. */
const MAX_LINES_BYTES: number = 2 * 1024 * 1024;

/** A line of a log as it comes. */
export interface SentLine {
  readonly id: number;
  readonly line: LogLine;
}

/** What an owner asks a relay about its deployments; fails as RelayClient does. */
export interface DeploymentRequests {
  /** @throws FailureError `replayed` for a version that is not higher, `denied` for a name that is another's, `not-found`, `malformed` */
  deploy(envelope: Uint8Array, signal?: AbortSignal): Promise<DeploymentView>;
  /** @param envelope deploy-request for a list, of its signer's account; likewise below for logs and an end */
  deployments(envelope: Uint8Array, signal?: AbortSignal): Promise<readonly DeploymentView[]>;
  undeploy(envelope: Uint8Array, signal?: AbortSignal): Promise<void>;
  /** Oldest first, a thousand at most. @param from the first `seq` */
  deploymentLines(envelope: Uint8Array, from: number, signal?: AbortSignal): Promise<readonly LogLine[]>;
  /** Lines as they come, through lost connections, without gaps. Ends when aborted. @param envelope makes a new one for each connection */
  followDeployment(
    envelope: () => Promise<Uint8Array>,
    from: number,
    signal: AbortSignal,
  ): AsyncGenerator<SentLine>;
}

function sent(envelope: Uint8Array): {
  readonly method: "POST";
  readonly body: Uint8Array;
  readonly contentType: string;
} {
  return { method: "POST", body: envelope, contentType: MESSAGE_TYPE };
}

/** A deploy-request on its way. */
function asked(
  envelope: Uint8Array,
  signal: AbortSignal | undefined,
): ReturnType<typeof sent> & { readonly path: string; readonly signal: AbortSignal | undefined } {
  return { ...sent(envelope), path: RELAY_PATHS.deploymentRequests, signal };
}

export function createDeploymentRequests(options: RelayClientOptions): DeploymentRequests {
  const http = exchangeOptions(options);
  return {
    deploy: (envelope, signal) =>
      view(http, deploymentViewJson, {
        ...sent(envelope),
        method: "PUT",
        path: RELAY_PATHS.deployments,
        signal,
      }),
    deployments: (envelope, signal) => view(http, deploymentViewsJson, asked(envelope, signal)),
    async undeploy(envelope, signal) {
      await exchangeBytes(http, { ...asked(envelope, signal), maxBytes: MAX_VIEW_BYTES });
    },
    async deploymentLines(envelope, from, signal) {
      const exchange = asked(envelope, signal);
      const path = `${exchange.path}?from=${from}`;
      const bytes = await exchangeBytes(http, { ...exchange, path, maxBytes: MAX_LINES_BYTES });
      return logLinesJson.read(parseJson(new TextDecoder().decode(bytes)));
    },
    followDeployment: (envelope, from, signal) =>
      relayEvents(
        {
          ...http,
          path: `${RELAY_PATHS.deploymentRequests}?follow=1&from=${from}`,
          request: async () => sent(await envelope()),
          signal,
        },
        (event): SentLine | undefined =>
          event.event === "line"
            ? { id: eventId(event), line: logLineJson.read(parseJson(event.data), "line") }
            : undefined,
      ),
  };
}
