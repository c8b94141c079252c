import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { FailureError } from "../../protocol/failure.ts";
import type { Identity } from "../../provider/tab-memory.ts";
import type { Account } from "../state/account.ts";
import type { Able, AppState } from "../state/app-state.ts";
import { createKeyTransfer } from "../state/key-transfer.ts";
import { saveTextFile } from "../state/save-file.ts";
import { shortPeer } from "../words/short-id.ts";
import { FilePick } from "./file-pick.tsx";
import { ForgetDialog } from "./forget-dialog.tsx";
import { FoundKeyDialog } from "./found-key-dialog.tsx";
import { MoveDialog } from "./move-dialog.tsx";
import { PhraseDialog } from "./phrase-dialog.tsx";
import { ReplaceDialog } from "./replace-dialog.tsx";
import { TakeOverDialog } from "./take-over-dialog.tsx";

export interface KeyPanelProps {
  readonly state: AppState;
  readonly able: Able;
}

type Open =
  | { readonly kind: "none" | "phrase" | "move" | "take-over" | "forget" }
  | { readonly kind: "found" | "replace"; readonly identity: Identity };

const NONE: Open = { kind: "none" };

/** The key that is the account: how to keep it, take it elsewhere, bring another, and collect what another has. */
export function KeyPanel({ state, able }: KeyPanelProps): JSX.Element {
  const { account, contribution, memory } = able;
  const transfer = useMemo(() => createKeyTransfer(state.relay, memory), [state.relay, memory]);
  const open = useSignal<Open>(NONE);
  const message = useSignal("");
  const testMoney = state.testMoney.value;
  const peer = account.peer.value;
  const isOn = contribution.isOn.value;
  const say = (text: string): void => {
    open.value = NONE;
    message.value = text;
  };
  const save = async (): Promise<void> => {
    saveTextFile(`tabmesh-key-${account.peer.value?.slice(-6) ?? ""}.json`, await account.exportFile());
    message.value = "Saved. Keep the file where nobody else can read it.";
  };
  const use = async (identity: Identity): Promise<void> => {
    await account.replace(identity);
    say("The other key is in use now.");
  };
  const ask = (identity: Identity): void => {
    if (identity.peer === account.peer.value) say("This is the key that is already in use.");
    else open.value = { kind: "found", identity };
  };
  const readFile = async (text: string): Promise<void> => {
    try {
      ask(await account.readFile(text));
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      say(`Not taken: ${error.detail}.`);
    }
  };
  return (
    <section class="card" aria-labelledby="key-title">
      <div class="card-head">
        <h2 id="key-title">Your key is your account</h2>
        {peer !== undefined && (
          <span class="code" title={peer}>
            {shortPeer(peer)}
          </span>
        )}
      </div>
      <p class="hint">
        No name, no password, no e-mail: whoever has the key has what it earned, and nobody can reset it. Keep
        it in a second place.
      </p>
      <div class="key-ways">
        {peer !== undefined && (
          <>
            <Way
              name="Write down 24 words"
              means="On paper. They make the key again if this browser loses it."
              onPress={() => (open.value = { kind: "phrase" })}
            />
            <Way
              name="Move to another device"
              means="By a code on this screen and four words."
              onPress={() => (open.value = { kind: "move" })}
            />
            <Way name="Save a key file" means="For a disk or a safe." onPress={() => void save()} />
          </>
        )}
        <Way
          name="Take over a key"
          means="From another device, from 24 words, or a widget’s claim code."
          isDisabled={isOn}
          onPress={() => (open.value = { kind: "take-over" })}
        />
      </div>
      <div class="key-rest">
        <FilePick label="Use a key file" isDisabled={isOn} onText={(text) => void readFile(text)} />
        {peer !== undefined && (
          <button
            class="link link-alarm"
            type="button"
            disabled={isOn}
            onClick={() => (open.value = { kind: "forget" })}
          >
            Forget the key here
          </button>
        )}
      </div>
      {isOn && <p class="hint">Stop contributing to use another key or to forget this one.</p>}
      <p class="message" role="status">
        {message.value}
      </p>
      <Opened
        {...{ state, able, transfer, open: open.value, testMoney }}
        onSave={() => void save()}
        onUse={(identity) => void use(identity)}
        onSay={say}
        onAsk={ask}
        onOpen={(next) => (open.value = next)}
      />
    </section>
  );
}

interface WayProps {
  readonly name: string;
  readonly means: string;
  readonly isDisabled?: boolean;
  readonly onPress: () => void;
}

function Way({ name, means, isDisabled = false, onPress }: WayProps): JSX.Element {
  return (
    <button class="key-way" type="button" disabled={isDisabled} onClick={onPress}>
      <span class="key-way-name">{name}</span>
      <span class="key-way-means">{means}</span>
    </button>
  );
}

interface OpenedProps extends KeyPanelProps {
  readonly transfer: ReturnType<typeof createKeyTransfer>;
  readonly open: Open;
  readonly testMoney: boolean;
  readonly onSave: () => void;
  readonly onUse: (identity: Identity) => void;
  readonly onSay: (text: string) => void;
  readonly onAsk: (identity: Identity) => void;
  readonly onOpen: (next: Open) => void;
}

async function forget(
  transfer: OpenedProps["transfer"],
  account: Account,
  onSay: (text: string) => void,
): Promise<void> {
  await transfer.forget();
  await account.refresh();
  onSay("The key is forgotten here.");
}

/** The dialog that is open, if one is. */
function Opened(props: OpenedProps): JSX.Element | null {
  const { able, transfer, open, testMoney, onSave, onUse, onSay, onAsk, onOpen } = props;
  const { account } = able;
  const close = (): void => onOpen(NONE);
  switch (open.kind) {
    case "none":
      return null;
    case "phrase":
      return (
        <PhraseDialog
          transfer={transfer}
          onClose={close}
          onKept={() => onSay("Right. With that paper your key can be made again.")}
        />
      );
    case "move":
      return <MoveDialog transfer={transfer} onClose={close} />;
    case "take-over":
      return <TakeOverDialog transfer={transfer} onRead={onAsk} onClose={close} />;
    case "found": {
      const { identity } = open;
      return (
        <FoundKeyDialog
          transfer={transfer}
          identity={identity}
          own={account.peer.value}
          testMoney={testMoney}
          onUse={() =>
            account.peer.value === undefined ? onUse(identity) : onOpen({ kind: "replace", identity })
          }
          onCollected={() => {
            void account.refresh();
            onSay("Collected. What was free is here now; the rest follows as it becomes free.");
          }}
          onClose={close}
        />
      );
    }
    case "replace":
      return (
        <ReplaceDialog
          account={account}
          candidate={open.identity}
          testMoney={testMoney}
          onSave={onSave}
          onReplace={onUse}
          onCancel={close}
        />
      );
    case "forget":
      return (
        <ForgetDialog
          view={account.view.value}
          testMoney={testMoney}
          onSave={onSave}
          onForget={() => void forget(transfer, account, onSay)}
          onClose={close}
        />
      );
    default:
      return open satisfies never;
  }
}
