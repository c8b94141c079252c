import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import { FailureError } from "../../protocol/failure.ts";
import type { Identity } from "../../provider/tab-memory.ts";
import type { Account } from "../state/account.ts";
import type { Contribution } from "../state/contribution.ts";
import { saveTextFile } from "../state/save-file.ts";
import { shortPeer } from "../words/short-id.ts";
import { FilePick } from "./file-pick.tsx";
import { ReplaceDialog } from "./replace-dialog.tsx";

export interface AccountPanelProps {
  readonly account: Account;
  readonly contribution: Contribution;
  readonly testMoney: boolean;
}

/** The key that earns: what it is called, how to keep it, how to bring another. */
export function AccountPanel({ account, contribution, testMoney }: AccountPanelProps): JSX.Element {
  const message = useSignal("");
  const candidate = useSignal<Identity | undefined>(undefined);
  const peer = account.peer.value;
  const save = async (): Promise<void> => {
    const text = await account.exportFile();
    saveTextFile(`tabmesh-key-${account.peer.value?.slice(-6) ?? ""}.json`, text);
    message.value = "Saved. Keep the file where nobody else can read it.";
  };
  const read = async (text: string): Promise<void> => {
    try {
      const identity = await account.readFile(text);
      if (identity.peer === account.peer.value) message.value = "This is the key that is already in use.";
      else if (account.peer.value === undefined) await take(identity);
      else candidate.value = identity;
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      message.value = `Not taken: ${error.detail}.`;
    }
  };
  const take = async (identity: Identity): Promise<void> => {
    candidate.value = undefined;
    await account.replace(identity);
    message.value = "The other key is in use now.";
  };
  return (
    <section class="card" aria-labelledby="account-title">
      <h2 id="account-title">Your key</h2>
      {peer === undefined ? (
        <p class="hint">
          Made when you first contribute. It is your account: no name, no password, no e-mail.
        </p>
      ) : (
        <p class="key-name code" title={peer}>
          {shortPeer(peer)}
        </p>
      )}
      <div class="button-row">
        {peer !== undefined && (
          <button class="button button-quiet" type="button" onClick={() => void save()}>
            Save key file
          </button>
        )}
        <FilePick
          label="Use a key file"
          isDisabled={contribution.isOn.value}
          onText={(text) => void read(text)}
        />
      </div>
      <p class="hint">
        {contribution.isOn.value
          ? "Switch off to use another key."
          : "Whoever has the file has your earnings; without it, clearing this browser’s data loses them."}
      </p>
      <p class="message" role="status">
        {message.value}
      </p>
      {candidate.value !== undefined && (
        <ReplaceDialog
          account={account}
          candidate={candidate.value}
          testMoney={testMoney}
          onSave={() => void save()}
          onReplace={(identity) => void take(identity)}
          onCancel={() => {
            candidate.value = undefined;
          }}
        />
      )}
    </section>
  );
}
