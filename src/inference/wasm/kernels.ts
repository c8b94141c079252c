import { FailureError } from "../../protocol/failure.ts";
import { createMeeting, MEETING_WORDS } from "./meeting.ts";
import { baselineModule } from "./modules/baseline.ts";
import { relaxedModule } from "./modules/relaxed.ts";

/** Fixed-width SIMD, or with the relaxed dot product of bytes. Both give the same bits. */
export type KernelBuild = "baseline" | "relaxed";

/** Functions of kernels/llama.c. Numbers are addresses, counts and bits of u32 or i32. */
export interface Kernels {
  packPanel(matrix: number, panel: number, rows: number, multipliers: number, room: number): void;
  embed(session: number, row: number, values: number, size: number, scale: number): void;
  layer(session: number, layer: number, position: number, count: number): void;
  logits(session: number, norm: number, head: number, x: number, count: number, out: number): void;
  /** 1 where the machine's instructions are the exact ones. */
  selfTest(): number;
}

const NAMES = ["packPanel", "embed", "layer", "logits", "selfTest"] as const;

/** Addresses below belong to the stack and the constants of the kernels. */
export const FIRST_ADDRESS = 65_536;
const PAGE_BYTES = 65_536;

function isKernels(exports: object): exports is Kernels {
  return NAMES.every((name) => name in exports);
}

function moduleBytes(build: KernelBuild): Uint8Array<ArrayBuffer> {
  const text = atob(build === "relaxed" ? relaxedModule : baselineModule);
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

/** `memory`, of the kind memory, with a maximum: in the section of imports. */
const MEMORY_IMPORT = [6, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 2, 1] as const;
const IS_SHARED = 3;

/** The module with a shared memory: one flag of its import. */
function withSharedMemory(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const at = bytes.findIndex((_, i) => MEMORY_IMPORT.every((byte, j) => bytes[i + j] === byte));
  if (at === -1) throw new TypeError("the module does not import its memory");
  return bytes.with(at + MEMORY_IMPORT.length - 1, IS_SHARED);
}

export interface LoadedKernels {
  readonly kernels: Kernels;
  readonly memory: WebAssembly.Memory;
}

/** What other threads need to run the same kernels on the same memory. */
export interface SharedKernels extends LoadedKernels {
  readonly module: WebAssembly.Module;
  /** i32[MEETING_WORDS] of shared memory. */
  readonly meeting: Int32Array;
}

/** What an instance has of its own in a thread. */
interface ThreadOwned {
  readonly meet: () => void;
  /** End of its stack; the module's own if not given. */
  readonly stack?: number;
}

const ALONE: ThreadOwned = { meet: () => {} };

/** @throws FailureError `no-memory` */
export async function loadKernels(build: KernelBuild, bytes: number): Promise<LoadedKernels> {
  const module = await compiled(build);
  const memory = reserveMemory(bytes, false);
  return { kernels: await instantiateKernels(module, memory, ALONE), memory };
}

/** For several threads, this one being the first. @throws FailureError `no-memory` */
export async function loadSharedKernels(
  build: KernelBuild,
  bytes: number,
  parts: number,
): Promise<SharedKernels> {
  const module = await WebAssembly.compile(withSharedMemory(moduleBytes(build)));
  const memory = reserveMemory(bytes, true);
  const meeting = new Int32Array(new SharedArrayBuffer(4 * MEETING_WORDS));
  const kernels = await instantiateKernels(module, memory, { meet: createMeeting(meeting, parts) });
  return { kernels, memory, module, meeting };
}

export async function instantiateKernels(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  { meet, stack }: ThreadOwned,
): Promise<Kernels> {
  const { exports } = await WebAssembly.instantiate(module, { env: { memory }, threads: { meet } });
  if (!isKernels(exports)) throw new TypeError("the module does not have the kernels");
  const pointer: unknown = Reflect.get(exports, "__stack_pointer");
  if (stack !== undefined && pointer instanceof WebAssembly.Global) pointer.value = stack;
  return exports;
}

function reserveMemory(bytes: number, shared: boolean): WebAssembly.Memory {
  const pages = Math.ceil(bytes / PAGE_BYTES);
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared });
  } catch (cause) {
    throw new FailureError("no-memory", `${bytes} bytes for a model`, { cause });
  }
}

const modules = new Map<KernelBuild, Promise<WebAssembly.Module>>();

function compiled(build: KernelBuild): Promise<WebAssembly.Module> {
  const known = modules.get(build);
  if (known !== undefined) return known;
  const module = WebAssembly.compile(moduleBytes(build));
  modules.set(build, module);
  return module;
}

let fastest: Promise<KernelBuild> | undefined;

/** The build for this machine: relaxed where its instructions exist and are exact. */
export function fastestBuild(): Promise<KernelBuild> {
  fastest ??= chooseBuild();
  return fastest;
}

async function chooseBuild(): Promise<KernelBuild> {
  if (!WebAssembly.validate(moduleBytes("relaxed"))) return "baseline";
  const { kernels } = await loadKernels("relaxed", FIRST_ADDRESS);
  return kernels.selfTest() === 1 ? "relaxed" : "baseline";
}
