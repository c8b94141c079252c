import { componentEmbed, componentNew } from "@bytecodealliance/jco";
import { type FailureCode, failureKind } from "../../protocol/failure-code.ts";
import { createSandbox } from "../sandbox.ts";
import { requestFor, text, wat } from "../wat.contract.ts";
import type { TaskRequest } from "../task.ts";
import type { compileComponent } from "./compile-component.ts";
import { runComponent } from "./run-component.ts";

export type Encoding = "utf8" | "utf16" | "compact-utf16";

/** A component around a core module in text, with the world `w` of this WIT. Built by tools that others wrote. */
export async function component(wit: string, core: string, encoding: Encoding = "utf8"): Promise<Uint8Array> {
  const embedded = await componentEmbed({
    binary: await wat(core),
    witSource: wit,
    world: "w",
    stringEncoding: encoding,
  });
  return componentNew(embedded, []);
}

/** An allocator that only moves on, as canonical functions want it; `$next` is where it stands. */
export const REALLOC = `
  (global $next (mut i32) (i32.const 131072))
  (func $realloc (export "cabi_realloc") (param $old i32) (param $size i32) (param $align i32) (param $new i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
                            (i32.sub (i32.const 0) (local.get $align))))
    (global.set $next (i32.add (local.get $at) (local.get $new)))
    (block $fits
      (br_if $fits (i32.le_u (global.get $next) (i32.mul (memory.size) (i32.const 65536))))
      (drop (memory.grow (i32.add (i32.const 1) (i32.shr_u (local.get $new) (i32.const 16))))))
    (local.get $at))`;

function refusal(code: FailureCode, detail: string): Error {
  return new Error(`${code} ${failureKind(code).name}: ${detail}`);
}

/** What a component answers to JSON in a sandbox. Rejects with its failure's code, name and detail. */
export async function answer(
  bytes: Uint8Array,
  entry: string,
  json: string,
  changes: Partial<TaskRequest> = {},
): Promise<string> {
  const sandbox = createSandbox();
  const loaded = await sandbox.load("c", bytes);
  if (loaded.kind === "failed") throw refusal(loaded.code, loaded.detail);
  const result = await sandbox.run(requestOf(entry, json, changes));
  if (result.kind === "failed") throw refusal(result.code, result.detail);
  return text(result.output);
}

function requestOf(entry: string, json: string, changes: Partial<TaskRequest>): TaskRequest {
  const base = requestFor("bytes-1", { input: new TextEncoder().encode(json), ...changes });
  return { ...base, function: { cid: "c", abi: "component-1", entry } };
}

/** The same of one that is compiled already; a trap is told as the fast form tells it. */
export function answerOf(
  compiled: Awaited<ReturnType<typeof compileComponent>>,
  entry: string,
  json: string,
  changes: Partial<TaskRequest> = {},
): string {
  const outcome = runComponent(compiled, requestOf(entry, json, changes));
  if (outcome.kind === "done") return text(outcome.output);
  throw refusal(outcome.failure.code, outcome.failure.detail);
}
