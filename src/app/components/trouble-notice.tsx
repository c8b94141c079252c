import type { JSX } from "preact";
import type { Capability, TroubleWords } from "../words/trouble-words.ts";
import { Notice } from "./notice.tsx";

export interface TroubleNoticeProps {
  readonly words: TroubleWords;
  readonly missing?: Capability;
}

/** Why this browser cannot contribute, and what to do. */
export function TroubleNotice({ words, missing }: TroubleNoticeProps): JSX.Element {
  return (
    <Notice tone="alarm" title={words.title}>
      <p>{words.cause}</p>
      <p>{words.advice}</p>
      {missing === "secure-context" && <TlsRecipe />}
    </Notice>
  );
}

/** A reverse proxy is the shortest way to a certificate. */
function TlsRecipe(): JSX.Element {
  return (
    <>
      <pre class="code recipe" tabIndex={0}>
        caddy reverse-proxy --from relay.example --to localhost:8787
      </pre>
      <p class="hint">
        Any proxy that ends TLS and passes WebSocket upgrades on will do. Put your own host name in the place
        of relay.example; its name must point to that machine.
      </p>
    </>
  );
}
