import type { JSX } from "preact";
import type { Identity } from "../../provider/tab-memory.ts";
import type { Account } from "../state/account.ts";
import { shortPeer } from "../words/short-id.ts";
import { Amount } from "./amount.tsx";
import { Dialog } from "./dialog.tsx";

export interface ReplaceDialogProps {
  readonly account: Account;
  readonly candidate: Identity;
  readonly testMoney: boolean;
  readonly onSave: () => void;
  readonly onReplace: (identity: Identity) => void;
  readonly onCancel: () => void;
}

/** Another key takes the place of one that may have earned something. */
export function ReplaceDialog(props: ReplaceDialogProps): JSX.Element {
  const { account, candidate, testMoney, onSave, onReplace, onCancel } = props;
  const peer = account.peer.value;
  const view = account.view.value;
  return (
    <Dialog title="Replace the key of this browser?" onClose={onCancel}>
      <dl class="terms">
        <div>
          <dt>Now</dt>
          <dd>
            <span class="code">{peer === undefined ? "none" : shortPeer(peer)}</span>
            {view === undefined ? (
              <>. What it has earned is not known: the relay was not reached.</>
            ) : (
              <>
                {" with "}
                <Amount value={view.available} testMoney={testMoney} withUnit /> available and{" "}
                <Amount value={view.pending} testMoney={testMoney} withUnit /> pending.
              </>
            )}
          </dd>
        </div>
        <div>
          <dt>From the file</dt>
          <dd>
            <span class="code">{shortPeer(candidate.peer)}</span>
          </dd>
        </div>
      </dl>
      <p>The key in use is forgotten here. What it earned can then be reached only with its key file.</p>
      <div class="dialog-actions">
        <button class="button button-quiet" type="button" onClick={onSave}>
          Save the current key first
        </button>
        <button class="button button-quiet" type="button" onClick={onCancel}>
          Keep it
        </button>
        <button class="button button-alarm" type="button" onClick={() => onReplace(candidate)}>
          Replace
        </button>
      </div>
    </Dialog>
  );
}
