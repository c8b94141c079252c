import { webcrypto } from "node:crypto";
import { link, rm, stat } from "node:fs/promises";
import { FailureError } from "../../protocol/failure.ts";
import { peerIdFromSeed, SEED_BYTES } from "../../protocol/ed25519.ts";
import { type Identity, identityFile, parseIdentityFile } from "../../sdk/index.ts";
import { PlainError } from "../plain-error.ts";
import { type HomeFolder, readIfThere, writePrivate } from "./folder.ts";

/** The identity that pays, in a file of its own. The browser's key files are the same kind of file. */

/** @throws PlainError when the file is there and cannot be used: another identity is never made beside it. */
export async function loadIdentity({ identity: path }: HomeFolder): Promise<Identity | undefined> {
  const text = await readIfThere(path);
  return text === undefined ? undefined : await readIdentity(text, path);
}

/** @param name what the text is called when it is wrong. */
export async function readIdentity(text: string, name: string): Promise<Identity> {
  try {
    return await parseIdentityFile(webcrypto.subtle, text);
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    throw new PlainError({
      what: `${name} is not an identity that can be used.`,
      why: error.detail,
      advice:
        "Restore it from a copy. Move it away only if its credits do not matter: then a new one is made.",
      cause: error,
    });
  }
}

async function freshIdentity(nowMs: number): Promise<Identity> {
  const seed = webcrypto.getRandomValues(new Uint8Array(SEED_BYTES));
  return { seed, peer: await peerIdFromSeed(webcrypto.subtle, seed), createdAt: nowMs };
}

/** The identity, made now if there is none. Two processes that call at once get the same one. @param nowMs since 1970. */
export async function ensureIdentity(home: HomeFolder, nowMs: number): Promise<Identity> {
  const known = await loadIdentity(home);
  if (known !== undefined) return known;
  const fresh = await freshIdentity(nowMs);
  const candidate = `${home.identity}.${fresh.peer}`;
  await writePrivate(candidate, identityFile(fresh));
  try {
    // A link fails where a rename would replace what another process has just made.
    await link(candidate, home.identity);
  } catch (error) {
    const first = await loadIdentity(home);
    if (first === undefined) throw error;
    return first;
  } finally {
    await rm(candidate, { force: true });
  }
  return fresh;
}

/** Puts `identity` in place. @returns where the one before is kept, if there was another. */
export async function replaceIdentity(home: HomeFolder, identity: Identity): Promise<string | undefined> {
  const known = await readIfThere(home.identity);
  const text = identityFile(identity);
  if (known === text) return undefined;
  let kept: string | undefined;
  if (known !== undefined) {
    const { mtimeMs } = await stat(home.identity);
    kept = `${home.identity}.before-${Math.trunc(mtimeMs)}`;
    await writePrivate(kept, known);
  }
  await writePrivate(home.identity, text);
  return kept;
}
