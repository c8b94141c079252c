import { openEnvelope } from "../../protocol/envelope.ts";
import { FailureError } from "../../protocol/failure.ts";
import { CLOCK_SKEW_MS, MAX_NAME_LIFETIME_MS, MAX_NAMES_PER_ACCOUNT } from "../../protocol/limits.ts";
import { type Name, nameMessage } from "../../protocol/messages/name.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { NamePeer, NameView } from "../../protocol/run-views.ts";
import type { Authentication } from "../authenticate.ts";
import type { LiveOffers } from "../offers/live-offers.ts";
import { NAME_GRACE_MS } from "./limits.ts";
import type { NameRow, NameRows } from "./name-rows.ts";

export interface NameDeskParts {
  readonly authentication: Authentication;
  readonly rows: NameRows;
  readonly offers: Pick<LiveOffers, "list">;
  /** Whether a new account may take a name at this address. @throws FailureError `rate-limited` */
  readonly admit: (account: PeerId, address: string) => void;
  /** Told when a name stands for something else. */
  readonly onChange: (name: Name) => void;
  readonly nowMs: () => number;
}

/** Names that accounts register, and who answers for them. */
export class NameDesk {
  readonly #parts: NameDeskParts;

  constructor(parts: NameDeskParts) {
    this.#parts = parts;
  }

  /**
   * Takes what an owner says of its name. The same again changes nothing.
   * @param address of who brings it, as limits count it.
   * @throws FailureError `bad-signature` unless the owner itself signed it, `denied` for a name of another, `replayed` for a
   * version that is not newer, `expired`, `malformed`, `too-large` beyond what one account may have.
   */
  put(name: string, envelope: Uint8Array, address: string): NameView {
    const { authentication, rows, admit, onChange, nowMs } = this.#parts;
    const { message, by } = authentication.open(nameMessage, envelope);
    const { body } = message;
    const { owner, version, expires } = body;
    if (body.name !== name) throw new FailureError("malformed", "name: is about another one");
    if (by.length !== 1 || by[0]?.session !== owner)
      throw new FailureError("bad-signature", "name: not signed by its owner itself");
    admit(owner, address);
    requireTime(body, nowMs());
    const before = rows.find(name);
    const isKept = before !== undefined && before.expires + NAME_GRACE_MS > nowMs();
    if (isKept && before.owner !== owner)
      throw new FailureError("denied", `${name} belongs to ${before.owner}`);
    if (isKept && openEnvelope(nameMessage, before.envelope).id === message.id) return this.#view(before);
    if (isKept && version <= before.version)
      throw new FailureError(
        "replayed",
        `name: version ${before.version} is known, so a higher one is needed`,
      );
    if (!isKept && this.#count(owner) >= MAX_NAMES_PER_ACCOUNT)
      throw new FailureError("too-large", `an account has at most ${MAX_NAMES_PER_ACCOUNT} names`);
    const row: NameRow = { name, owner, version, expires, envelope: message.bytes };
    rows.put(row);
    onChange(body);
    return this.#view(row);
  }

  #count(owner: PeerId): number {
    return this.#parts.rows.of(owner).length;
  }

  /** What a name stands for now. */
  resolve(name: string): Name | undefined {
    const row = this.#parts.rows.find(name);
    return row === undefined || row.expires <= this.#parts.nowMs()
      ? undefined
      : openEnvelope(nameMessage, row.envelope).body;
  }

  /** @throws FailureError `not-found`, also for one that has expired. */
  find(name: string): NameView {
    const row = this.#parts.rows.find(name);
    if (row === undefined || row.expires <= this.#parts.nowMs())
      throw new FailureError("not-found", `nobody has registered the name ${name}`);
    return this.#view(row);
  }

  /** Names of an account that have not expired. */
  of(owner: PeerId): readonly NameView[] {
    const now = this.#parts.nowMs();
    return this.#parts.rows
      .of(owner)
      .filter(({ expires }) => expires > now)
      .slice(0, MAX_NAMES_PER_ACCOUNT)
      .map((row) => this.#view(row));
  }

  #view({ envelope }: NameRow): NameView {
    const { name, owner, version, issuedAt, expires, plan, peers } = openEnvelope(nameMessage, envelope).body;
    return {
      name,
      owner,
      version,
      issuedAt,
      expires,
      ...(plan === undefined ? {} : { plan }),
      ...(peers === undefined ? {} : { peers: this.#liveness(peers) }),
      envelope,
    };
  }

  #liveness(peers: readonly PeerId[]): readonly NamePeer[] {
    const live = this.#parts.offers.list();
    return peers.map((peer) => {
      const own = live.filter(({ offer }) => offer.provider === peer);
      const addresses = own.flatMap(({ offer }) => offer.addresses).slice(0, 16);
      return { peer, online: own.length > 0, addresses };
    });
  }
}

function requireTime({ issuedAt, expires }: Name, now: number): void {
  if (issuedAt > now + CLOCK_SKEW_MS) throw new FailureError("malformed", "name: was issued in the future");
  if (expires <= now) throw new FailureError("expired", "the name's time has passed");
  if (expires > issuedAt + MAX_NAME_LIFETIME_MS)
    throw new FailureError("malformed", `name: counts for more than ${MAX_NAME_LIFETIME_MS} ms`);
}
