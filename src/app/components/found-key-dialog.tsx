import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { FailureError } from "../../protocol/failure.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { AccountView } from "../../protocol/relay-api.ts";
import { microCredits } from "../../protocol/units.ts";
import type { Identity } from "../../provider/tab-memory.ts";
import type { KeyTransfer } from "../state/key-transfer.ts";
import { shortPeer } from "../words/short-id.ts";
import { Amount } from "./amount.tsx";
import { Dialog } from "./dialog.tsx";

export interface FoundKeyDialogProps {
  readonly transfer: KeyTransfer;
  readonly identity: Identity;
  /** The key in use here, if there is one. */
  readonly own: PeerId | undefined;
  readonly testMoney: boolean;
  /** Use it in the place of the one that is in use. */
  readonly onUse: (identity: Identity) => void;
  readonly onCollected: () => void;
  readonly onClose: () => void;
}

/** A key was read: what it has, and what to do with it. Nothing happens before one of the buttons is pressed. */
export function FoundKeyDialog(props: FoundKeyDialogProps): JSX.Element {
  const { transfer, identity, own, testMoney, onUse, onCollected, onClose } = props;
  const view = useSignal<AccountView | "asking" | "unknown">("asking");
  const problem = useSignal("");
  const isBusy = useSignal(false);
  useEffect(() => {
    const look = async (): Promise<void> => {
      try {
        view.value = await transfer.look(identity.peer);
      } catch {
        view.value = "unknown";
      }
    };
    void look();
  }, [transfer, identity, view]);
  const collect = async (): Promise<void> => {
    isBusy.value = true;
    try {
      await transfer.collect(identity);
      onCollected();
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      problem.value = `Not collected: ${error.detail}. The words still hold it, so try again later.`;
    } finally {
      isBusy.value = false;
    }
  };
  return (
    <Dialog title="A key was found" onClose={onClose}>
      <dl class="terms">
        <div>
          <dt>Key</dt>
          <dd>
            <span class="code">{shortPeer(identity.peer)}</span>
          </dd>
        </div>
        <div>
          <dt>It has</dt>
          <dd>
            <Holdings view={view.value} testMoney={testMoney} />
          </dd>
        </div>
      </dl>
      <div class="dialog-text">
        <p>
          <strong>Collect</strong> sends what it has, and what will be free of it, to{" "}
          {own === undefined ? "a new key of this browser" : "your key"}. Right for a widget’s claim code;
          afterwards those words are worth nothing.
        </p>
        <p>
          <strong>Use it here</strong> makes it the key of this browser. Right when you change devices.
        </p>
        <p class="message" role="alert">
          {problem.value}
        </p>
      </div>
      <div class="dialog-actions">
        <button class="button button-quiet" type="button" onClick={onClose}>
          Cancel
        </button>
        <button
          class="button button-quiet"
          type="button"
          disabled={isBusy.value}
          onClick={() => onUse(identity)}
        >
          Use it here
        </button>
        <button class="button" type="button" disabled={isBusy.value} onClick={() => void collect()}>
          {isBusy.value ? "Collecting…" : "Collect"}
        </button>
      </div>
    </Dialog>
  );
}

function Holdings({
  view,
  testMoney,
}: {
  readonly view: AccountView | "asking" | "unknown";
  readonly testMoney: boolean;
}): JSX.Element {
  if (view === "asking") return <>Asking the relay…</>;
  if (view === "unknown") return <>Not known: the relay did not answer.</>;
  const kept = microCredits(view.pending + view.held + view.bond);
  return (
    <>
      <Amount value={view.available} testMoney={testMoney} withUnit /> available, and{" "}
      <Amount value={kept} testMoney={testMoney} withUnit /> that is not free yet
    </>
  );
}
