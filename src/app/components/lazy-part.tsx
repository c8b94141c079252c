import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { FailureError } from "../../protocol/failure.ts";
import { FailureNotice } from "./failure-notice.tsx";

type View<P> = (props: P) => JSX.Element;
type Loaded<P> = { readonly view: View<P> } | "loading" | "not-loaded";

export interface LazyPartProps<P> {
  /** Loads the part with all it brings along. */
  readonly load: () => Promise<View<P>>;
  readonly show: (Part: View<P>) => JSX.Element;
}

/** Loads a part of the page when it is first shown, and stands in for it until it is there. */
export function LazyPart<P>({ load, show }: LazyPartProps<P>): JSX.Element {
  const loaded = useSignal<Loaded<P>>("loading");
  const fetchPart = async (): Promise<void> => {
    loaded.value = "loading";
    try {
      loaded.value = { view: await load() };
    } catch {
      loaded.value = "not-loaded";
    }
  };
  useEffect(() => {
    void fetchPart();
  }, []);
  if (loaded.value === "loading") return <p class="empty">Loading…</p>;
  if (loaded.value === "not-loaded") {
    const failure = new FailureError("disconnected", "this part of the page could not be loaded").toFailure();
    return (
      <FailureNotice title="The page is not complete" failure={failure} onRetry={() => void fetchPart()} />
    );
  }
  return show(loaded.value.view);
}
