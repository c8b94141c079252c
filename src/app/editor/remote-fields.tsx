import type { JSX } from "preact";
import type { Place, PlanNode, Provenance, StepLimits } from "../../plan/plan.ts";
import { isPeerId } from "../../protocol/peer-id.ts";
import { fuel } from "../../protocol/units.ts";
import { CheckList, NumberField, SelectField, TextField } from "./fields.tsx";

export type RemoteNode = Extract<PlanNode, { readonly limits: StepLimits }>;

export interface RemoteFieldsProps {
  readonly node: RemoteNode;
  /** Other nodes of the same graph. */
  readonly beside: readonly string[];
  readonly problemAt: (path: string) => string | undefined;
  readonly onNode: (
    what: string,
    change: Partial<Pick<RemoteNode, "place" | "provenance" | "limits">>,
  ) => void;
}

/** Where a step runs, how far it is believed, and what it may take. */
export function RemoteFields(props: RemoteFieldsProps): JSX.Element {
  const { node, problemAt } = props;
  return (
    <>
      <PlaceFields {...props} />
      <ProvenanceFields
        provenance={node.provenance}
        onNode={props.onNode}
        problem={problemAt("provenance")}
      />
      <LimitFields limits={node.limits} onNode={props.onNode} problemAt={problemAt} />
    </>
  );
}

const PLACES: readonly { readonly value: Place["at"]; readonly label: string }[] = [
  { value: "any", label: "any tab that fits" },
  { value: "with", label: "where another step ran" },
  { value: "peer", label: "at one peer" },
  { value: "name", label: "whoever answers for a name" },
  { value: "initiator", label: "at whoever starts the run" },
  { value: "coordinator", label: "at whoever coordinates" },
  { value: "relay", label: "at the relay" },
];

function placeAt(at: string, beside: readonly string[]): Place {
  switch (at) {
    case "with":
      return { at, node: beside[0] ?? "" };
    case "name":
      return { at, name: "" };
    case "initiator":
    case "coordinator":
    case "relay":
      return { at };
    default:
      return { at: "any" };
  }
}

const PREFERENCES = [
  { value: "", label: "no wish" },
  { value: "price", label: "the cheapest" },
  { value: "reputation", label: "the most proven" },
  { value: "distance", label: "the nearest" },
  { value: "fair", label: "each in turn" },
] as const;

function PlaceFields({ node, beside, problemAt, onNode }: RemoteFieldsProps): JSX.Element {
  const { place } = node;
  const put = (next: Place): void => onNode("place", { place: next });
  return (
    <>
      <SelectField
        label="Runs"
        value={place.at}
        options={PLACES.filter(
          ({ value }) =>
            (value !== "with" || beside.length > 0) &&
            (value !== "peer" || place.at === "peer") &&
            (value !== "relay" || node.kind === "effect"),
        )}
        problem={problemAt("place")}
        onChoose={(at) => put(placeAt(at, beside))}
      />
      {place.at === "any" && (
        <SelectField
          label="Prefer"
          value={place.prefer ?? ""}
          options={PREFERENCES}
          onChoose={(value) => {
            const prefer = PREFERENCES.find((each) => each.value === value)?.value ?? "";
            const { prefer: _before, ...rest } = place;
            put(prefer === "" ? rest : { ...rest, prefer });
          }}
        />
      )}
      {place.at === "any" && beside.length > 0 && (
        <details class="edit-more">
          <summary>Apart from other steps</summary>
          <CheckList
            legend="Other owners than those of"
            names={beside}
            chosen={place.apartFrom ?? []}
            onChange={(chosen) => {
              const { apartFrom: _before, ...rest } = place;
              put(chosen.length === 0 ? rest : { ...rest, apartFrom: chosen });
            }}
          />
        </details>
      )}
      {place.at === "with" && (
        <SelectField
          label="Step whose tab it is"
          value={place.node}
          options={beside.map((value) => ({ value, label: value }))}
          onChoose={(chosen) => put({ at: "with", node: chosen })}
        />
      )}
      {place.at === "name" && (
        <TextField
          label="Registered name"
          value={place.name}
          onText={(name) => {
            put({ at: "name", name });
            return undefined;
          }}
        />
      )}
      {place.at === "peer" && (
        <TextField
          label="Peer"
          isCode
          value={place.peer}
          onText={(peer) => {
            if (!isPeerId(peer)) return "A peer id begins with 12D3KooW.";
            put({ at: "peer", peer });
            return undefined;
          }}
        />
      )}
    </>
  );
}

const CHECKS: readonly { readonly value: Provenance["check"]; readonly label: string }[] = [
  { value: "signature", label: "its tab has signed" },
  { value: "quorum", label: "several owners agree" },
  { value: "audited", label: "the relay has audited it" },
  { value: "replay", label: "it was computed again here" },
];

function provenanceOf(check: string): Provenance {
  switch (check) {
    case "quorum":
      return { check, k: 2, n: 3 };
    case "audited":
    case "replay":
      return { check };
    default:
      return { check: "signature" };
  }
}

/** More tabs than that for one step cost more than they tell. */
const MOST_COPIES = 16;

function ProvenanceFields({
  provenance,
  problem,
  onNode,
}: {
  readonly provenance: Provenance;
  readonly problem: string | undefined;
  readonly onNode: RemoteFieldsProps["onNode"];
}): JSX.Element {
  const put = (next: Provenance): void => onNode("provenance", { provenance: next });
  return (
    <>
      <SelectField
        label="Believed when"
        value={provenance.check}
        options={CHECKS}
        problem={problem}
        onChoose={(check) => put(provenanceOf(check))}
      />
      {provenance.check === "quorum" && (
        <div class="edit-pair">
          <NumberField
            label="Agreeing"
            value={provenance.k}
            most={provenance.n}
            onNumber={(k) => put({ ...provenance, k })}
          />
          <NumberField
            label="Asked"
            value={provenance.n}
            least={provenance.k}
            most={MOST_COPIES}
            onNumber={(n) => put({ ...provenance, n })}
          />
        </div>
      )}
    </>
  );
}

const GIGA = 1e9;
const MIB: number = 1024 * 1024;
const KIB = 1024;
const SECOND_MS = 1_000;

function LimitFields({
  limits,
  onNode,
  problemAt,
}: {
  readonly limits: StepLimits;
  readonly onNode: RemoteFieldsProps["onNode"];
  readonly problemAt: (path: string) => string | undefined;
}): JSX.Element {
  const put = (change: Partial<StepLimits>): void => onNode("limits", { limits: { ...limits, ...change } });
  return (
    <fieldset class="edit-limits">
      <legend>Limits of one attempt</legend>
      <div class="edit-pair">
        <NumberField
          label="Fuel"
          unit="G"
          value={Number(limits.fuel) / GIGA}
          least={0}
          most={1_000_000}
          step={0.1}
          problem={problemAt("limits.fuel")}
          onNumber={(value) => put({ fuel: fuel(BigInt(Math.round(value * GIGA))) })}
        />
        <NumberField
          label="Memory"
          unit="MiB"
          value={Math.round(limits.memory / MIB)}
          least={0}
          most={4_096}
          problem={problemAt("limits.memory")}
          onNumber={(value) => put({ memory: value * MIB })}
        />
        <NumberField
          label="Output"
          unit="KiB"
          value={Math.round(limits.output / KIB)}
          most={64 * KIB}
          problem={problemAt("limits.output")}
          onNumber={(value) => put({ output: value * KIB })}
        />
        <NumberField
          label="Time"
          unit="s"
          value={limits.deadlineMs / SECOND_MS}
          least={0.1}
          most={3_600}
          step={0.1}
          problem={problemAt("limits.deadlineMs")}
          onNumber={(value) => put({ deadlineMs: Math.round(value * SECOND_MS) })}
        />
      </div>
    </fieldset>
  );
}
