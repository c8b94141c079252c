import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import type { ExportKind } from "../state/export-receipts.ts";
import { savePieces } from "../state/save-file.ts";
import type { Earnings } from "../state/earnings.ts";
import { countText, counted } from "../words/quantities.ts";

type ExportState =
  | { readonly kind: "idle" }
  | { readonly kind: "running"; readonly count: number }
  | { readonly kind: "done"; readonly count: number }
  | { readonly kind: "failed" };

const TYPES: Readonly<Record<ExportKind, string>> = { csv: "text/csv", json: "application/json" };

/** Takes away all receipts that the filter lets through, also those that are not on the screen. */
export function ExportButtons({ earnings }: { readonly earnings: Earnings }): JSX.Element {
  const state = useSignal<ExportState>({ kind: "idle" });
  const end = useRef(new AbortController());
  useEffect(() => () => end.current.abort(), []);
  const run = async (kind: ExportKind): Promise<void> => {
    end.current = new AbortController();
    const { signal } = end.current;
    let count = 0;
    state.value = { kind: "running", count };
    try {
      const pieces = await earnings.export(kind, signal, (so) => {
        count = so;
        state.value = { kind: "running", count };
      });
      savePieces(`tabmesh-receipts.${kind}`, pieces, TYPES[kind]);
      state.value = { kind: "done", count };
    } catch (error) {
      state.value = signal.aborted ? { kind: "idle" } : { kind: "failed" };
      if (error instanceof RangeError) throw error;
    }
  };
  return (
    <div class="export">
      <p class="hint" role="status">
        {exportText(state.value)}
      </p>
      {state.value.kind === "running" ? (
        <button class="button button-quiet button-small" type="button" onClick={() => end.current.abort()}>
          Stop
        </button>
      ) : (
        (["csv", "json"] as const).map((kind) => (
          <button
            key={kind}
            class="button button-quiet button-small"
            type="button"
            onClick={() => void run(kind)}
          >
            <span class="aside">Save the receipts as </span>
            {kind.toUpperCase()}
          </button>
        ))
      )}
    </div>
  );
}

function exportText(state: ExportState): string {
  switch (state.kind) {
    case "idle":
      return "";
    case "running":
      return `${countText(state.count)} read…`;
    case "done":
      return `${counted(state.count, "receipt")} saved`;
    case "failed":
      return "The relay did not answer.";
    default:
      return state satisfies never;
  }
}
