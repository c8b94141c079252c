import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { type Signal, useSignal } from "@preact/signals";
import { FailureError } from "../../protocol/failure.ts";
import type { Identity } from "../../provider/tab-memory.ts";
import type { KeyTransfer } from "../state/key-transfer.ts";
import { Choice } from "./choice.tsx";
import { Dialog } from "./dialog.tsx";

export interface TakeOverDialogProps {
  readonly transfer: KeyTransfer;
  /** Told the key that was read; nothing is changed yet. */
  readonly onRead: (identity: Identity) => void;
  readonly onClose: () => void;
}

type Way = "camera" | "code" | "phrase";

const WAYS: readonly (readonly [Way, string])[] = [
  ["camera", "Scan a code"],
  ["code", "Paste a code"],
  ["phrase", "24 words"],
];

/** Reads a key from another device's code, or from its words. */
export function TakeOverDialog({ transfer, onRead, onClose }: TakeOverDialogProps): JSX.Element {
  const way = useSignal<Way>("camera");
  const code = useSignal<string | undefined>(undefined);
  const problem = useSignal("");
  const isBusy = useSignal(false);
  const read = async (take: () => Promise<Identity>): Promise<void> => {
    problem.value = "";
    isBusy.value = true;
    try {
      onRead(await take());
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      problem.value = `Not taken: ${error.detail}.`;
    } finally {
      isBusy.value = false;
    }
  };
  return (
    <Dialog title="Take over a key" onClose={onClose}>
      <div class="dialog-text">
        <Choice
          legend="Where the key comes from"
          name="way"
          options={WAYS}
          value={way.value}
          onChange={(next) => {
            way.value = next;
            code.value = undefined;
            problem.value = "";
          }}
        />
        {way.value === "camera" && code.value === undefined && (
          <Camera transfer={transfer} onCode={(text) => (code.value = text)} />
        )}
        {way.value === "code" && code.value === undefined && (
          <Pasted
            onCode={async (text) => {
              if (await transfer.isCode(text)) code.value = text;
              else problem.value = "This is no code of another device.";
            }}
          />
        )}
        {way.value !== "phrase" && code.value !== undefined && (
          <CodeWords
            isBusy={isBusy.value}
            onWords={(words) => void read(() => transfer.readCode(code.value ?? "", words))}
          />
        )}
        {way.value === "phrase" && (
          <Phrase isBusy={isBusy.value} onWords={(words) => void read(() => transfer.readWords(words))} />
        )}
        <p class="message" role="status">
          {problem.value}
        </p>
      </div>
      <div class="dialog-actions dialog-actions-end">
        <button class="button button-quiet" type="button" onClick={onClose}>
          Cancel
        </button>
      </div>
    </Dialog>
  );
}

interface CameraProps {
  readonly transfer: KeyTransfer;
  readonly onCode: (text: string) => void;
}

const CAMERA_PROBLEMS: Readonly<Record<string, string>> = {
  NotAllowedError: "The camera was not allowed. Allow it for this page, or paste the code.",
  NotFoundError: "There is no camera here. Paste the code, or use the 24 words.",
  NotReadableError: "Another program uses the camera. Close that, or paste the code.",
};

function Camera({ transfer, onCode }: CameraProps): JSX.Element {
  const video = useRef<HTMLVideoElement>(null);
  const said = useSignal("Starting the camera…");
  useCamera(video, transfer, onCode, said);
  return (
    <>
      <video class="camera" ref={video} muted playsInline aria-label="What the camera sees" />
      <p class="hint" role="status">
        {said.value}
      </p>
    </>
  );
}

function useCamera(
  video: { readonly current: HTMLVideoElement | null },
  transfer: KeyTransfer,
  onCode: (text: string) => void,
  said: Signal<string>,
): void {
  useEffect(() => {
    const end = new AbortController();
    const seen = async (text: string): Promise<void> => {
      if (end.signal.aborted) return;
      if (await transfer.isCode(text)) {
        end.abort();
        onCode(text);
      } else said.value = "This is another kind of code. Hold the one from your other device before it.";
    };
    const watch = async (): Promise<void> => {
      const { watchCamera } = await import("../state/camera.ts");
      const element = video.current;
      if (element === null) return;
      await watchCamera(element, end.signal, (text) => void seen(text));
      said.value = "Hold the code of the other device before the camera.";
    };
    watch().catch((error: unknown) => {
      const name = error instanceof DOMException ? error.name : "";
      said.value = CAMERA_PROBLEMS[name] ?? "The camera could not be used. Paste the code instead.";
    });
    return () => end.abort();
  }, []);
}

function Pasted({ onCode }: { readonly onCode: (text: string) => Promise<void> }): JSX.Element {
  const input = useRef<HTMLTextAreaElement>(null);
  return (
    <form
      class="dialog-form"
      onSubmit={(event) => {
        event.preventDefault();
        void onCode(input.current?.value ?? "");
      }}
    >
      <label class="filter">
        <span>The text under the code on the other device</span>
        <textarea ref={input} rows={4} required spellcheck={false} autocomplete="off" />
      </label>
      <button class="button" type="submit">
        Next
      </button>
    </form>
  );
}

interface WordsProps {
  readonly isBusy: boolean;
  readonly onWords: (words: string) => void;
}

function CodeWords({ isBusy, onWords }: WordsProps): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  return (
    <form
      class="dialog-form"
      onSubmit={(event) => {
        event.preventDefault();
        onWords(input.current?.value ?? "");
      }}
    >
      <p>The code is here. Now the four words that the other device shows in its next step.</p>
      <label class="filter">
        <span>Four words</span>
        <input ref={input} type="text" required autocapitalize="none" autocomplete="off" spellcheck={false} />
      </label>
      <button class="button" type="submit" disabled={isBusy}>
        {isBusy ? "Opening…" : "Open"}
      </button>
    </form>
  );
}

function Phrase({ isBusy, onWords }: WordsProps): JSX.Element {
  const input = useRef<HTMLTextAreaElement>(null);
  return (
    <form
      class="dialog-form"
      onSubmit={(event) => {
        event.preventDefault();
        onWords(input.current?.value ?? "");
      }}
    >
      <label class="filter">
        <span>The 24 words of a key, or of a claim code from a widget</span>
        <textarea
          ref={input}
          rows={5}
          required
          autocapitalize="none"
          autocomplete="off"
          spellcheck={false}
          aria-describedby="phrase-hint"
        />
      </label>
      <p class="hint" id="phrase-hint">
        In their order. The first four letters of each are enough.
      </p>
      <button class="button" type="submit" disabled={isBusy}>
        Read the words
      </button>
    </form>
  );
}
