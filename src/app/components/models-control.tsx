import type { JSX } from "preact";
import type { ModelsState } from "../../provider/model-jobs.ts";

export interface ModelsControlProps {
  readonly gpu: boolean;
  /** Absent while nothing is contributed. */
  readonly models: ModelsState | undefined;
  readonly onGpu: (gpu: boolean) => void;
}

const PLACES = {
  webgpu: "the graphics card",
  wasm: "the processor",
  reference: "the processor, slowly",
} as const;

/** Where models compute, and what they do now. */
export function ModelsControl({ gpu, models, onGpu }: ModelsControlProps): JSX.Element {
  return (
    <section class="card" aria-labelledby="graphics-title">
      <h2 id="graphics-title">Graphics card</h2>
      <label>
        <input type="checkbox" checked={gpu} onChange={({ currentTarget }) => onGpu(currentTarget.checked)} />{" "}
        Use it for models where it is faster
      </label>
      <p class="hint" aria-live="polite">
        {stateText(models)}
      </p>
    </section>
  );
}

function stateText(models: ModelsState | undefined): string {
  if (models?.opening !== undefined) return `Opening ${models.opening.name}.`;
  if (models?.open === undefined) return "No model is open. One is fetched when somebody asks for it.";
  const { name, backend, whyNotGpu } = models.open;
  const rate = models.tokensPerSecond > 0 ? `, ${models.tokensPerSecond.toFixed(1)} tokens a second` : "";
  const why = whyNotGpu === undefined ? "" : ` Not the graphics card: ${whyNotGpu}.`;
  return `${name} computes on ${PLACES[backend]}${rate}.${why}`;
}
