import type { RunRecord } from "../../plan/run-record.ts";
import { openEnvelope } from "../../protocol/envelope.ts";
import { FailureError } from "../../protocol/failure.ts";
import { type Run, runMessage } from "../../protocol/messages/run.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { LOCAL_ORIGIN } from "./local/local-origin.ts";

/** Where a record comes from, by its first message. Whether the signature holds is for the check of the run to say. */

export interface RecordOrigin {
  /** Root identity of who began the run. */
  readonly initiator: PeerId;
  /** Log origin of the run's relay; "localhost" where there was none. */
  readonly origin: string;
  /** Whether it was carried out in one process, under keys that were made for it. */
  readonly local: boolean;
}

/** Nothing where the first message cannot be read. */
export function recordOrigin({ run }: RunRecord): RecordOrigin | undefined {
  let body: Run;
  try {
    ({ body } = openEnvelope(runMessage, run));
  } catch (error) {
    if (error instanceof FailureError) return undefined;
    throw error;
  }
  const { initiator, origin } = body;
  return { initiator, origin, local: origin === LOCAL_ORIGIN };
}

/** Lines of a verdict. */
export function originLines(from: RecordOrigin | undefined): readonly string[] {
  if (from === undefined) return [];
  const { initiator, origin, local } = from;
  return [
    `  begun by  ${initiator}`,
    local
      ? "  made      on one machine with --local, under keys made for this run: it says what was computed, not who did it"
      : `  made      by peers of the relay ${origin}`,
  ];
}
