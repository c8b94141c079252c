import type { Identity, TabMemory } from "../../provider/tab-memory.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { AccountView } from "../../protocol/relay-api.ts";
import type { MovingCode } from "../../provider/key-words.ts";
import type { RelayLink } from "./relay-link.ts";

/** What can be done with a key besides using it. Everything heavy is loaded when it is asked for. */
export interface KeyTransfer {
  /** 24 words of this browser's key: a secret. Undefined where there is no key. */
  words(): Promise<readonly string[] | undefined>;
  /** A code for another device, and the words that open it. */
  code(): Promise<MovingCode | undefined>;
  /** The key of 24 words. @throws FailureError `malformed` */
  readWords(text: string): Promise<Identity>;
  /** The key in another device's code. @throws FailureError `malformed`, `expired` */
  readCode(code: string, words: string): Promise<Identity>;
  isCode(text: string): Promise<boolean>;
  /** What the relay says of another key. */
  look(peer: PeerId): Promise<AccountView>;
  /** All that another key has, and will have, goes to the account of this browser. @throws FailureError */
  collect(from: Identity): Promise<PeerId>;
  /** Takes the key of this browser away for good. */
  forget(): Promise<void>;
}

async function keyWords(): Promise<typeof import("../../provider/key-words.ts")> {
  return import("../../provider/key-words.ts");
}

export function createKeyTransfer(relay: RelayLink, memory: TabMemory): KeyTransfer {
  return {
    async words() {
      const identity = await memory.identity.load();
      return identity === undefined ? undefined : (await keyWords()).phraseOf(identity);
    },
    async code() {
      const identity = await memory.identity.load();
      return identity === undefined ? undefined : (await keyWords()).makeMovingCode(identity, Date.now());
    },
    readWords: async (text) => (await keyWords()).readPhrase(text),
    readCode: async (code, words) => (await keyWords()).openMovingCode(code, words, Date.now()),
    isCode: async (text) => (await keyWords()).isMovingCode(text),
    look: async (peer) => (await relay.views()).account(peer),
    async collect(from) {
      const { claimEarnings } = await import("../../provider/claim-earnings.ts");
      const { peer } = await memory.identity.ensure();
      await claimEarnings(relay.url, memory.relays, from, peer);
      return peer;
    },
    forget: async () => memory.identity.forget(),
  };
}
