import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { isCid } from "../../protocol/cid.ts";
import type { EarningsSplit, ReceiptFilter } from "../../protocol/earnings-json.ts";
import type { Layer } from "../charts/layers.ts";
import type { Earnings } from "../state/earnings.ts";
import type { Names } from "../state/names.ts";
import { counted } from "../words/quantities.ts";
import { shortName } from "../words/short-id.ts";
import { Amount } from "./amount.tsx";

export interface EarningsSharesProps {
  readonly earnings: Earnings;
  readonly layers: readonly Layer[];
  readonly split: EarningsSplit;
  readonly names: Names;
  readonly testMoney: boolean;
}

const NOTHING_SPLIT: Readonly<Record<EarningsSplit, string>> = {
  function: "What was earned here was earned before functions were written down.",
  site: "Nothing here came from a site that embeds the widget.",
};

/** The key to a chart in parts: what each stands for and what it comes to. A part leads to its receipts. */
export function EarningsShares({
  earnings,
  layers,
  split,
  names,
  testMoney,
}: EarningsSharesProps): JSX.Element {
  const ids = layers.filter(({ kind }) => kind === "named").map(({ name }) => name);
  useEffect(() => names.want(split, ids), [names, split, ids.join(" ")]);
  const known = names.known.value;
  return (
    <>
      {ids.length === 0 && <p class="hint">{NOTHING_SPLIT[split]}</p>}
      <ul class="shares">
        {layers.map((layer) => (
          <li key={`${layer.kind} ${layer.name}`} class="share">
            <svg class="share-mark" width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
              <rect class={`share-fill fill${layer.colour}`} width="12" height="12" rx="3" />
            </svg>
            <span class="share-name" title={layer.name}>
              <Name
                layer={layer}
                split={split}
                known={known.get(layer.name)}
                onPick={(filter) => earnings.rows.setFilter(filter)}
              />
            </span>
            <span class="share-tasks">{counted(layer.tasks, "task")}</span>
            <span class="share-amount">
              <Amount value={layer.amount} testMoney={testMoney} />
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}

interface NameProps {
  readonly layer: Layer;
  readonly split: EarningsSplit;
  readonly known: string | undefined;
  readonly onPick: (filter: ReceiptFilter) => void;
}

function Name({ layer: { kind, name }, split, known, onPick }: NameProps): JSX.Element {
  if (kind === "others") return <>All others</>;
  if (kind === "unsplit") return <>{split === "site" ? "Without a site" : "Not written down"}</>;
  const text = known ?? shortName(name);
  if (split !== "function" || !isCid(name)) return <>{text}</>;
  return (
    <button
      class="link"
      type="button"
      onClick={() => {
        onPick({ work: name });
        document.querySelector("#receipts-title")?.scrollIntoView({ block: "start" });
      }}
    >
      <span class="aside">Receipts of </span>
      {text}
    </button>
  );
}
