import { type ReadonlySignal, signal } from "@preact/signals";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { AccountView } from "../../protocol/relay-api.ts";
import { type MicroCredits, microCredits } from "../../protocol/units.ts";
import type { ProviderState } from "../../provider/provider-state.ts";
import type { Identity, TabMemory } from "../../provider/tab-memory.ts";
import type { RelayLink } from "./relay-link.ts";

/** This browser's identity: the account that earns. */
export interface Account {
  /** Absent until the first contribution, or an import, made one. */
  readonly peer: ReadonlySignal<PeerId | undefined>;
  /** As the relay said last; absent while unknown. */
  readonly view: ReadonlySignal<AccountView | undefined>;
  refresh(): Promise<void>;
  /** Text of the key file, made together with the identity if there is none yet. */
  exportFile(): Promise<string>;
  /** Reads and verifies a key file; changes nothing. @throws FailureError `malformed`, `unsupported`. */
  readFile(text: string): Promise<Identity>;
  replace(identity: Identity): Promise<void>;
}

export function createAccount(memory: TabMemory, relay: RelayLink): Account {
  const peer = signal<PeerId | undefined>(undefined);
  const view = signal<AccountView | undefined>(undefined);
  const refresh = async (): Promise<void> => {
    peer.value = (await memory.identity.load())?.peer;
    if (peer.value === undefined) return;
    try {
      view.value = await (await relay.views()).account(peer.value);
    } catch {
      // Said by the relay's own state; the last view stays.
    }
  };
  return {
    peer,
    view,
    refresh,
    async exportFile() {
      peer.value = (await memory.identity.ensure()).peer;
      return (await memory.identity.exportFile()) ?? "";
    },
    readFile: async (text) => memory.identity.readFile(text),
    async replace(identity) {
      await memory.identity.replace(identity);
      view.value = undefined;
      await refresh();
    },
  };
}

/**
 * Earned since midnight UTC: what the relay had at the start of this session and what was earned since, also if it is
 * not reported yet; or what the relay has now, if that is more.
 */
export function earnedToday(
  atStart: MicroCredits,
  state: ProviderState,
  view: AccountView | undefined,
): MicroCredits {
  const here = atStart + state.earned;
  const there = view?.earnedToday ?? 0n;
  return microCredits(here > there ? here : there);
}
