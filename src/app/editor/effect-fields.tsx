import type { JSX } from "preact";
import { type Capability, EFFECT_KINDS, type EffectKind } from "../../plan/plan.ts";
import { kindWith } from "./usual-effects.ts";
import { linesOf, NumberField, SelectField, TextField } from "./fields.tsx";

export interface EffectFieldsProps {
  readonly capability: Capability;
  readonly problemAt: (path: string) => string | undefined;
  readonly onCapability: (capability: Capability) => void;
}

const LABELS: Readonly<Record<EffectKind, string>> = {
  fetch: "fetch over HTTP",
  "kv-get": "read from a store",
  "kv-put": "write to a store",
  "kv-list": "list a store",
  "evm-read": "read a chain",
  time: "the time",
  random: "random bytes",
};

/** What an effect may touch: nothing that is not named here. */
export function EffectFields({ capability, problemAt, onCapability }: EffectFieldsProps): JSX.Element {
  const put = (change: Partial<Capability>): undefined => {
    onCapability({ ...capability, ...change });
    return undefined;
  };
  const { kind } = capability;
  return (
    <>
      <SelectField
        label="Effect"
        value={kind}
        options={EFFECT_KINDS.map((value) => ({ value, label: LABELS[value] }))}
        problem={problemAt("capability")}
        onChoose={(chosen) => {
          const next = EFFECT_KINDS.find((each) => each === chosen);
          if (next !== undefined) onCapability(kindWith(next, capability));
        }}
      />
      {kind === "fetch" && (
        <>
          <TextField
            label="Origins it may reach"
            isCode
            rows={2}
            hint="One a line, as in https://example.org."
            value={capability.origins.join("\n")}
            onText={(text) => put({ origins: linesOf(text) })}
          />
          <TextField
            label="Methods"
            isCode
            value={capability.methods.join(", ")}
            onText={(text) => put({ methods: linesOf(text.toUpperCase()) })}
          />
          <TextField
            label="Secrets"
            isCode
            hint="Names, for {secret:NAME} in a header. Only the chosen peer is given them."
            value={capability.secrets.join(", ")}
            onText={(text) => put({ secrets: linesOf(text) })}
          />
        </>
      )}
      {kind.startsWith("kv-") && (
        <TextField
          label="Namespace"
          isCode
          value={capability.namespace}
          onText={(namespace) => put({ namespace })}
        />
      )}
      {kind === "evm-read" && (
        <TextField
          label="Chains"
          isCode
          hint="As in eip155:1."
          value={capability.chains.join(", ")}
          onText={(text) => put({ chains: linesOf(text) })}
        />
      )}
      <div class="edit-pair">
        <NumberField
          label="Answer"
          unit="KiB"
          value={Math.round(capability.maxBytes / 1024)}
          most={8_192}
          onNumber={(value) => put({ maxBytes: value * 1024 })}
        />
        <NumberField
          label="Time"
          unit="s"
          value={capability.timeoutMs / 1_000}
          least={0.1}
          most={120}
          step={0.1}
          onNumber={(value) => put({ timeoutMs: Math.round(value * 1_000) })}
        />
      </div>
    </>
  );
}
