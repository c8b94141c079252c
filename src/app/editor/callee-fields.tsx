import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { Callee } from "../../plan/plan.ts";
import { isCid } from "../../protocol/cid.ts";
import { FailureError } from "../../protocol/failure.ts";
import type { PublishedModel } from "../../protocol/relay-api.ts";
import { FileButton } from "../components/file-button.tsx";
import { shortCid } from "../words/short-id.ts";
import { SelectField, TextField } from "./fields.tsx";
import { calleeOf, type FunctionsOnHand } from "./functions-on-hand.ts";

export interface CalleeFieldsProps {
  readonly label: string;
  readonly callee: Callee;
  readonly functions: FunctionsOnHand;
  readonly models: readonly PublishedModel[];
  readonly problem: string | undefined;
  readonly onCallee: (callee: Callee) => void;
}

/** Which function or model: one at hand, a file, one the relay has, or any by its CID. */
export function CalleeFields(props: CalleeFieldsProps): JSX.Element {
  const { label, callee, functions, models, problem, onCallee } = props;
  const refusal = useSignal<string | undefined>(undefined);
  useEffect(() => {
    functions.bring().catch(() => undefined);
  }, [functions]);
  const onHand = functions.list.value;
  const isKnown =
    onHand.some(({ cid }) => cid === callee.cid) || models.some(({ cid }) => cid === callee.cid);
  const choose = (cid: string): void => {
    const found = onHand.find((each) => each.cid === cid);
    const model = models.find((each) => each.cid === cid);
    if (found !== undefined) onCallee(calleeOf(found));
    if (model !== undefined) onCallee(modelCallee(model));
  };
  const take = async (chosen: File): Promise<void> => {
    try {
      refusal.value = undefined;
      onCallee(calleeOf(await functions.take(chosen)));
    } catch (error) {
      refusal.value = error instanceof FailureError ? `${error.detail}.` : "The file could not be read.";
    }
  };
  return (
    <>
      <SelectField
        label={label}
        value={callee.cid}
        options={[
          ...(isKnown ? [] : [{ value: callee.cid, label: shortCid(callee.cid) }]),
          ...(onHand.length === 0
            ? []
            : [
                { group: "Functions", options: onHand.map(({ cid, name }) => ({ value: cid, label: name })) },
              ]),
          ...(models.length === 0
            ? []
            : [{ group: "Models", options: models.map(({ cid, name }) => ({ value: cid, label: name })) }]),
        ]}
        problem={refusal.value ?? problem}
        onChoose={choose}
      />
      <div class="button-row">
        <FileButton
          label="Choose a .wasm file"
          name={`${label}: WebAssembly file`}
          accept=".wasm,application/wasm"
          isSmall
          onFile={(file) => void take(file)}
        />
      </div>
      <details class="edit-more">
        <summary>CID, entry and arguments</summary>
        <TextField
          label="CID"
          isCode
          hint="A function the relay or its peers keep, or a model’s manifest."
          value={callee.cid}
          onText={(cid) => {
            if (!isCid(cid)) return "This is not a CID.";
            onCallee({ ...callee, cid });
            return undefined;
          }}
        />
        <TextField
          label="Entry"
          isCode
          value={callee.entry}
          onText={(entry) => {
            onCallee({ ...callee, entry });
            return undefined;
          }}
        />
        <TextField
          label="Arguments"
          isCode
          rows={2}
          hint="One a line. {input} stands for the input as text."
          value={callee.args.join("\n")}
          onText={(text) => {
            onCallee({ ...callee, args: text === "" ? [] : text.split("\n") });
            return undefined;
          }}
        />
      </details>
    </>
  );
}

/** How a plan asks a model. */
export function modelCallee({ cid, entry }: PublishedModel): Callee {
  return { kind: "model", cid, entry, abi: "model-1", args: [] };
}
