/** What is measured of the package: its own types name sources that our compiler would judge. */
interface Completion {
  readonly timings?: {
    readonly prompt_n: number;
    readonly prompt_ms: number;
    readonly predicted_n: number;
    readonly predicted_ms: number;
  };
}

export interface WllamaEngine {
  loadModel(files: readonly Blob[], options: object): Promise<void>;
  createCompletion(options: object): Promise<Completion>;
  exit(): Promise<void>;
}

interface WllamaPackage {
  readonly Wllama: new (paths: { readonly default: string }, options: object) => WllamaEngine;
}

function isWllama(module: unknown): module is WllamaPackage {
  return typeof module === "object" && module !== null && "Wllama" in module;
}

/** As the bench's server serves it. */
function fileUrl(path: string): string {
  return `${location.origin}/node_modules/@wllama/wllama/esm/${path}`;
}

export async function createWllama(): Promise<WllamaEngine> {
  const module: unknown = await import(/* @vite-ignore */ fileUrl("index.js"));
  if (!isWllama(module)) throw new TypeError("the package has no Wllama");
  return new module.Wllama({ default: fileUrl("wasm/wllama.wasm") }, { suppressNativeLog: true });
}
