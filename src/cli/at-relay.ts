import type { AccountOwner } from "../sdk/index.ts";
import { homeFolder } from "./home/folder.ts";
import { ensureIdentity } from "./home/identity.ts";
import { filePins } from "./home/pins.ts";
import { relayTrouble } from "./requester.ts";

/** Speaks to a relay as this person: the relay's own refusals as they are; what is known of its silence as advice. */
export async function atRelay<T>(relay: string, work: (owner: AccountOwner) => Promise<T>): Promise<T> {
  const home = homeFolder(process.env);
  const { seed } = await ensureIdentity(home, Date.now());
  try {
    return await work({ relay, seed, pins: filePins(home) });
  } catch (error) {
    throw relayTrouble(error, relay);
  }
}
