import { signal } from "@preact/signals";
// oxlint-disable-next-line import/default -- made by the bundler, see ../state/bundled.d.ts
import summarise from "../../../examples/component-c/summarise.wasm?url";
// oxlint-disable-next-line import/default
import wordcount from "../../../examples/wordcount-c/wordcount.wasm?url";
import type { Callee } from "../../plan/plan.ts";
import { type Cid, cidOf, RAW } from "../../protocol/cid.ts";
import { FailureError } from "../../protocol/failure.ts";
import { MAX_BLOB_BYTES } from "../../protocol/limits.ts";
import { USUAL_ENTRY } from "../../protocol/messages/session.ts";
import { guessAbi } from "../../sdk/make-job.ts";
import { loadAsset } from "../state/jobs-asset.ts";

/** A function whose bytes this page has, so that it can give them to whoever is to run it. */
export interface FunctionOnHand {
  readonly name: string;
  readonly cid: Cid;
  readonly module: Uint8Array;
}

const BUNDLED: readonly (readonly [name: string, url: string])[] = [
  ["wordcount.wasm", wordcount],
  ["summarise.wasm", summarise],
];

interface Kept<T> {
  value: T;
}

/** The functions that plans of this page can call without anybody else having them. */
export class FunctionsOnHand {
  /** In the order in which they came. */
  readonly list: Kept<readonly FunctionOnHand[]> = signal<readonly FunctionOnHand[]>([]);
  #bundled: Promise<void> | undefined;

  /** Those that come with the app. Loaded once. @throws TypeError when they cannot be */
  async bring(): Promise<void> {
    this.#bundled ??= this.#load().catch((error: unknown) => {
      this.#bundled = undefined;
      throw error;
    });
    await this.#bundled;
  }

  /** @throws FailureError `too-large` */
  async take(file: File): Promise<FunctionOnHand> {
    if (file.size > MAX_BLOB_BYTES)
      throw new FailureError("too-large", `${file.name} has ${file.size} bytes, at most ${MAX_BLOB_BYTES}`);
    return this.#add(file.name, new Uint8Array(await file.arrayBuffer()));
  }

  find(cid: Cid): FunctionOnHand | undefined {
    return this.list.value.find((each) => each.cid === cid);
  }

  async #load(): Promise<void> {
    const modules = await Promise.all(
      BUNDLED.map(async ([name, url]) => [name, await loadAsset(url)] as const),
    );
    for (const [name, module] of modules) this.#add(name, module);
  }

  #add(name: string, module: Uint8Array): FunctionOnHand {
    const made = { name, cid: cidOf(RAW, module), module };
    this.list.value = [...this.list.value.filter(({ cid }) => cid !== made.cid), made];
    return made;
  }
}

/** How a plan calls it. */
export function calleeOf({ cid, module }: FunctionOnHand): Callee {
  const abi = guessAbi(module);
  return { kind: "function", cid, entry: USUAL_ENTRY[abi], abi, args: [] };
}
