import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import { LazyPart } from "./lazy-part.tsx";

export interface FoldedCardProps<P extends object> {
  readonly title: string;
  /** What is in it. */
  readonly load: () => Promise<(props: P) => JSX.Element>;
  readonly props: P;
}

/** A card of settings that shows its title alone until it is opened; what is in it is loaded then. */
export function FoldedCard<P extends object>({ title, load, props }: FoldedCardProps<P>): JSX.Element {
  const isOpen = useSignal(false);
  return (
    <details
      class="card limits"
      onToggle={({ currentTarget }) => {
        isOpen.value = currentTarget.open;
      }}
    >
      <summary>
        <h2>{title}</h2>
      </summary>
      {isOpen.value && <LazyPart load={load} show={(Panel) => <Panel {...props} />} />}
    </details>
  );
}
