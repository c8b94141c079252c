import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import type { AccountView } from "../../protocol/relay-api.ts";
import { microCredits } from "../../protocol/units.ts";
import { Amount } from "./amount.tsx";
import { Dialog } from "./dialog.tsx";

export interface ForgetDialogProps {
  readonly view: AccountView | undefined;
  readonly testMoney: boolean;
  readonly onSave: () => void;
  readonly onForget: () => void;
  readonly onClose: () => void;
}

/** Before a key is lost for good. */
export function ForgetDialog({ view, testMoney, onSave, onForget, onClose }: ForgetDialogProps): JSX.Element {
  const isSure = useSignal(false);
  return (
    <Dialog title="Forget the key of this browser?" onClose={onClose}>
      <div class="dialog-text">
        <p>
          {view === undefined ? (
            <>What it has is not known: the relay was not reached.</>
          ) : (
            <>
              It has{" "}
              <Amount
                value={microCredits(view.available + view.pending + view.held + view.bond)}
                testMoney={testMoney}
                withUnit
              />
              .
            </>
          )}{" "}
          Without the 24 words, a key file or another device that has the key, that is gone for good: nobody
          can bring it back.
        </p>
        <label class="check-line">
          <input
            type="checkbox"
            checked={isSure.value}
            onChange={({ currentTarget }) => (isSure.value = currentTarget.checked)}
          />
          <span>I have the key somewhere else, or I do not want what it has.</span>
        </label>
      </div>
      <div class="dialog-actions">
        <button class="button button-quiet" type="button" onClick={onSave}>
          Save a key file first
        </button>
        <button class="button button-quiet" type="button" onClick={onClose}>
          Keep it
        </button>
        <button class="button button-alarm" type="button" disabled={!isSure.value} onClick={onForget}>
          Forget it
        </button>
      </div>
    </Dialog>
  );
}
