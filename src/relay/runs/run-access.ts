import { mayCoordinate } from "../../ledger/run-rules.ts";
import { fromBase64 } from "../../protocol/base64.ts";
import type { Cid } from "../../protocol/cid.ts";
import { FailureError } from "../../protocol/failure.ts";
import { CLOCK_SKEW_MS, MAX_ENVELOPE_BYTES } from "../../protocol/limits.ts";
import { runAccessMessage } from "../../protocol/messages/run.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { Authentication } from "../authenticate.ts";
import type { Books } from "../books.ts";
import { RecentMap } from "../books/recent-map.ts";
import type { RunStanding } from "../run-books.ts";
import { ACCESS_MS, KEPT_RUNS } from "./limits.ts";

/** Who asks about a run. */
export interface RunReader {
  readonly root: PeerId;
  readonly session: PeerId;
  readonly run: RunStanding;
  /** Initiator or holder. */
  readonly isCoordinator: boolean;
}

interface Shown {
  readonly run: Cid;
  readonly root: PeerId;
  readonly session: PeerId;
  /** Milliseconds since 1970. */
  readonly until: number;
}

export interface RunAccessParts {
  readonly books: Books;
  readonly authentication: Authentication;
  /** Identity of the relay itself: what was signed for a peer is not taken from that peer here. */
  readonly self: PeerId;
  readonly nowMs: () => number;
}

/** Lets those read and write what waits for a run who take part in it. */
export class RunAccessDesk {
  readonly #parts: RunAccessParts;
  /** What was verified, by the header's text. */
  readonly #shown = new RecentMap<string, Shown>(KEPT_RUNS);

  constructor(parts: RunAccessParts) {
    this.#parts = parts;
  }

  /**
   * @param header of the request.
   * @param does providers may leave what they made, and see nothing: each knows of the run what its own steps need.
   * @throws FailureError `bad-signature`, `expired`, `not-found`, `denied` for somebody who takes no part.
   */
  admit(id: Cid, header: string | undefined, does: "reads" | "leaves"): RunReader {
    const { books, authentication, nowMs } = this.#parts;
    if (header === undefined)
      throw new FailureError("bad-signature", "what waits for a run is for those alone who take part");
    const { root, session, run, until } = this.#shown.get(header) ?? this.#read(header);
    if (run !== id) throw new FailureError("denied", "run-access: is for another run");
    if (until < nowMs()) throw new FailureError("expired", "run-access: an hour has passed since its issue");
    authentication.requireWelcome(root, session);
    const standing = books.runs.run(id);
    if (standing === undefined) throw new FailureError("not-found", `no run ${id}`);
    const isCoordinator = mayCoordinate(standing, root);
    const mayRead = isCoordinator || root === standing.terms.payer;
    if (!mayRead && !books.runs.works(id, root))
      throw new FailureError("denied", `${root} takes no part in this run`);
    if (!mayRead && does === "reads")
      throw new FailureError("denied", `${root} works in this run, and does not coordinate it`);
    return { root, session, run: standing, isCoordinator };
  }

  #read(header: string): Shown {
    const { authentication, self, nowMs } = this.#parts;
    const bytes = header.length > MAX_ENVELOPE_BYTES * 2 ? undefined : fromBase64(header);
    if (bytes === undefined) throw new FailureError("malformed", "run-access: is not base64");
    const { message, by } = authentication.open(runAccessMessage, bytes);
    const [signer, ...more] = by;
    if (signer === undefined || more.length > 0)
      throw new FailureError("bad-signature", "run-access: has to be signed by one key");
    const { run, audience, issuedAt } = message.body;
    if (audience !== self)
      throw new FailureError("denied", "run-access: was signed for somebody else than this relay");
    if (issuedAt > nowMs() + CLOCK_SKEW_MS)
      throw new FailureError("malformed", "run-access: was issued in the future");
    const shown = { run, root: signer.root, session: signer.session, until: issuedAt + ACCESS_MS };
    if (shown.until >= nowMs()) this.#shown.set(header, shown);
    return shown;
  }
}
