import { type ReadonlySignal, signal } from "@preact/signals";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { ReceiptView } from "../../protocol/relay-api.ts";
import type { ReceiptVerification, Verification } from "../../provider/receipt-verification.ts";
import type { TabMemory } from "../../provider/tab-memory.ts";

/** A receipt's proof under way or made; it holds for exactly the view it was made of. */
export type VerificationState =
  | { readonly kind: "running"; readonly view: ReceiptView }
  | { readonly kind: "done"; readonly view: ReceiptView; readonly result: Verification }
  | { readonly kind: "not-loaded"; readonly view: ReceiptView };

export interface Verifications {
  /** By entry index. */
  readonly states: ReadonlySignal<ReadonlyMap<number, VerificationState>>;
  verify(view: ReceiptView): Promise<void>;
  hide(view: ReceiptView): void;
}

export function createVerifications(relayUrl: string, memory: TabMemory, account: PeerId): Verifications {
  const states = signal<ReadonlyMap<number, VerificationState>>(new Map());
  let loaded: Promise<ReceiptVerification> | undefined;
  const load = async (): Promise<ReceiptVerification> => {
    const { createReceiptVerification } = await import("../../provider/receipt-verification.ts");
    return createReceiptVerification(relayUrl, memory);
  };
  const put = (view: ReceiptView, state: VerificationState): void => {
    states.value = new Map(states.value).set(view.entryIndex, state);
  };
  return {
    states,
    async verify(view) {
      put(view, { kind: "running", view });
      try {
        loaded ??= load();
        put(view, { kind: "done", view, result: await (await loaded).verify(view, account) });
      } catch (error) {
        loaded = undefined;
        put(view, { kind: "not-loaded", view });
        if (!(error instanceof TypeError)) throw error;
      }
    },
    hide(view) {
      const rest = new Map(states.value);
      rest.delete(view.entryIndex);
      states.value = rest;
    },
  };
}
