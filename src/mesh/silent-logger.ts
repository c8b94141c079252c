import type { ComponentLogger, Logger } from "@libp2p/interface";

function ignore(): void {
  // libp2p formats and scopes its log lines per connection and stream, which costs a relay memory for nothing.
}

const silent: Logger = Object.assign(ignore, {
  error: ignore,
  trace: ignore,
  enabled: false,
  newScope: (): Logger => silent,
});

/** A logger of libp2p that keeps and prints nothing; failures reach us as FailureErrors instead. */
export const silentLogger: ComponentLogger = { forComponent: () => silent };
