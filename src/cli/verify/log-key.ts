import { readVerifierKey } from "../../protocol/checkpoint.ts";
import { isPeerId, type PeerId, peerIdFromKey } from "../../protocol/peer-id.ts";
import { type HomeFolder } from "../home/folder.ts";
import { pinnedLogKey } from "../home/pins.ts";
import { PlainError, usageError } from "../plain-error.ts";

/** A log's key as a person gives it. @throws PlainError */
export function parseLogKey(text: string): PeerId {
  if (isPeerId(text)) return text;
  const read = readVerifierKey(text);
  if (read !== undefined) return peerIdFromKey(read.key);
  throw usageError(
    "--key takes a peer id (12D3KooW…) or a verifier key (origin+id+base64).",
    "`npx tabmesh fsck` prints the one of a log.",
  );
}

/** How a log's key is known. */
export interface KnownKey {
  readonly key: PeerId;
  readonly from: "given" | "pinned";
}

/** The key given, or the one this person's relays are held to. */
export async function knownKey(
  home: HomeFolder,
  origin: string,
  given: PeerId | undefined,
): Promise<KnownKey | undefined> {
  if (given !== undefined) return { key: given, from: "given" };
  const pinned = await pinnedLogKey(home, origin);
  return pinned === undefined ? undefined : { key: pinned, from: "pinned" };
}

/** @throws PlainError when nothing is known of the log: a proof would prove nothing */
export async function requireKey(
  home: HomeFolder,
  origin: string,
  given: PeerId | undefined,
): Promise<KnownKey> {
  const known = await knownKey(home, origin, given);
  if (known !== undefined) return known;
  throw new PlainError({
    what: `The key of the log ${origin} is not known here.`,
    why: "A proof is worth as much as the key it is signed by.",
    advice:
      "Give it with --key: somebody you trust has it, `npx tabmesh fsck --relay URL` shows it. " +
      "A relay that was used from here before is known by itself.",
  });
}
