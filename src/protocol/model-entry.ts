/** What a model is for: `generate` continues text, `embed` turns texts into vectors. Also the entry a job names. */
export const MODEL_ENTRIES = ["generate", "embed"] as const;
export type ModelEntry = (typeof MODEL_ENTRIES)[number];
