import type { Logger } from "pino";
import type { Books } from "../books.ts";
import { CapabilityDesk } from "./capability-desk.ts";

/** What is measured of providers; one that has claimed what is not so begins its record anew. */
export function openCapability(
  books: Pick<Books, "audits">,
  log: Logger,
  nowMs: () => number,
): CapabilityDesk {
  return new CapabilityDesk(nowMs, (provider, property) => {
    log.warn({ peer: provider, property }, "what a provider claims of itself is not so");
    books.audits
      .reset(provider, `${property}: what it claims of its machine is not so`)
      .catch((error: unknown) => log.error({ err: error, peer: provider }, "its record was not begun anew"));
  });
}
