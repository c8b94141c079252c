import type { JSX } from "preact";
import { saveEvidence } from "../state/save-file.ts";

/** Offers two checkpoints that contradict each other, where there are such. */
export function EvidenceButton({
  evidence,
}: {
  readonly evidence: Uint8Array<ArrayBuffer> | undefined;
}): JSX.Element | null {
  if (evidence === undefined) return null;
  return (
    <p>
      Two of the relay's signed checkpoints do not fit together.{" "}
      <button class="link" type="button" onClick={() => saveEvidence(evidence)}>
        Save both
      </button>{" "}
      <code>npx tabmesh verify</code> tells anybody what they prove.
    </p>
  );
}
