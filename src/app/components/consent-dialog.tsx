import type { JSX } from "preact";
import { counted } from "../words/quantities.ts";
import { creditUnit } from "../words/credits.ts";
import { Dialog } from "./dialog.tsx";

export interface ConsentDialogProps {
  readonly workers: number;
  readonly mostWorkers: number;
  readonly testMoney: boolean;
  readonly onAgree: () => void;
  readonly onDecline: () => void;
}

/** What a person agrees to. A change in substance raises CONSENT_VERSION in state/contribution.ts. */
export function ConsentDialog(props: ConsentDialogProps): JSX.Element {
  const { workers, mostWorkers, testMoney, onAgree, onDecline } = props;
  return (
    <Dialog title="Before this tab starts working" onClose={onDecline}>
      <dl class="terms">
        <div>
          <dt>What runs</dt>
          <dd>
            Small programs written by strangers. Each runs in a sandbox inside this tab, without network,
            files, camera or anything else of yours, and is stopped when it exceeds its limits.
          </dd>
        </div>
        <div>
          <dt>What it takes</dt>
          <dd>
            Up to {counted(workers, "processor thread")} of {mostWorkers} while there is work, and some
            memory. Fan and battery may notice. You can change this at any time.
          </dd>
        </div>
        <div>
          <dt>Who sees what</dt>
          <dd>
            Inputs reach your tab readable, and those who send them are told so: providers can read inputs.
            Those who send work connect to this tab directly and so see your network address.
          </dd>
        </div>
        <div>
          <dt>What you get</dt>
          <dd>
            {testMoney ? "Test credits, without worth outside this relay" : `Payment in ${creditUnit(false)}`}
            , backed by receipts that both sides sign. The key to them stays in this browser: save it as a
            file.
          </dd>
        </div>
        <div>
          <dt>How to stop</dt>
          <dd>
            Press the switch again, or close the tab. Unfinished tasks go to somebody else; what is earned
            stays.
          </dd>
        </div>
      </dl>
      <div class="dialog-actions">
        <button class="button button-quiet" type="button" onClick={onDecline}>
          Not now
        </button>
        <button class="button" type="button" onClick={onAgree}>
          Agree and start
        </button>
      </div>
    </Dialog>
  );
}
