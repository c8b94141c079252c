import type { JSX } from "preact";
import { LazyPart } from "../components/lazy-part.tsx";
import { TroubleNotice } from "../components/trouble-notice.tsx";
import type { AppState } from "../state/app-state.ts";

/** What every page is given. */
export interface PageProps {
  readonly state: AppState;
}

type View = (props: PageProps) => JSX.Element;
export type LoadPage = () => Promise<View>;

export interface PageGateProps extends PageProps {
  /** Loads the page, which brings its own heading. */
  readonly load: LoadPage;
  /** Heading of what is shown where the page cannot be. */
  readonly title: string;
  /** Whether the page can do nothing where this browser keeps nothing. */
  readonly needsMemory?: boolean;
}

/** Loads a page when it is first shown, with all it brings along. */
export function PageGate({ load, title, state, needsMemory = false }: PageGateProps): JSX.Element {
  const { able, trouble } = state;
  return (
    <>
      {needsMemory && trouble !== undefined && (
        <>
          <h1 tabIndex={-1}>{title}</h1>
          <TroubleNotice {...trouble} />
        </>
      )}
      {(able !== undefined || !needsMemory) && (
        <LazyPart load={load} show={(Page) => <Page state={state} />} />
      )}
    </>
  );
}
