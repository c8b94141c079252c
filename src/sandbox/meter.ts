import { ByteWriter } from "./decode/byte-writer.ts";
import { decodeModule, SECTION, SECTION_ORDER } from "./decode/decode-module.ts";
import type { ModuleShape } from "./decode/module-shape.ts";
import { FULL_TANK } from "./limits.ts";
import { BodyEmitter } from "./meter/emit-body.ts";
import { writeHelper } from "./meter/emit-helper.ts";
import { writeFillers } from "./meter/filler.ts";
import { Layout, type MeterForm } from "./meter/layout.ts";
import { BodyScanner } from "./meter/scan-body.ts";
import { maximumPages, METER_EXPORTS, rewrittenSections, SectionWriter } from "./meter/section-writer.ts";

export { maximumPages, METER_EXPORTS };

export interface MeteredModule {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Of the module as it was. */
  readonly shape: ModuleShape;
}

export interface MeterOptions {
  /** `fast` unless told otherwise. */
  readonly form?: MeterForm;
  /** What the exported fuel global starts with; FULL_TANK unless told otherwise. */
  readonly fuel?: bigint;
  /**
   * For engines that know nothing of the sandbox: only fuel is added. The start function runs at instantiation, memory
   * and tables grow as they would, the stack is the engine's, and "tabmesh:fuel" is the only export added.
   */
  readonly standalone?: true;
  /** false: NaNs are left as the machine makes them, to measure what the rest costs. */
  readonly canonicalNaN?: boolean;
}

/**
 * Rewrites a module so that it counts its own cost and behaves alike on every machine: profile 1, whose text is
 * docs/sandbox-profile.md. Nothing of the module is renumbered, and its "name" section stays.
 *
 * Fuel. Costs (costs.ts) are taken per metered block (see BodyScanner) before the block runs, so the total after a normal
 * end is the sum over executed instructions. Running out is looked for at the entry of functions that call, at loop
 * headers and at bulk instructions; a program that ends with nothing left has run out all the same. In the fast form a trap
 * loses what a local held: run it again in the precise form to know.
 *
 * Stack. A function takes words of 8 bytes from STACK_WORDS while it runs, and traps below zero: FRAME_WORDS, its
 * parameters and locals, the deepest operand stack (where it calls, arguments and results counted once more), twice its
 * results. A v128 takes two words; in a function with vectors (or a module whose types or globals have any) so does
 * every operand and result. A function that calls nothing is not counted up to UNCOUNTED_LEAF_WORDS. Whoever calls an
 * export sets the exported global before.
 *
 * Memory and tables get their maxima lowered to the profile's; `memory.grow` obeys the exported global as well. NaN
 * results of arithmetic are canonical wherever their bits can be seen. The start function is not run by instantiation but
 * exported, so that the host can set the limits first.
 *
 * @throws FailureError `invalid-module`; nothing else
 */
export function meterModule(bytes: Uint8Array, options: MeterOptions = {}): MeteredModule {
  const shape = decodeModule(bytes);
  const layout = new Layout(shape, options.form ?? "fast", options.standalone ?? false);
  const code = meteredCode(shape, layout, options.canonicalNaN ?? true);
  const helperType = layout.helpers.length > 0 ? layout.helperType() : 0;
  const writer = new ByteWriter(bytes.length + code.length + 1024);
  const sections = new SectionWriter(writer, shape, layout, helperType, options.fuel ?? FULL_TANK);
  const rewritten = rewrittenSections(layout);
  writer.copy(bytes, 0, 8);
  for (const id of SECTION_ORDER) {
    const original = shape.sections.get(id);
    if (id === SECTION.start && !layout.standalone) continue;
    if (id === SECTION.code) {
      if (code.length > 0) writeSection(writer, id, () => writer.bytes(code));
    } else if (rewritten.has(id)) writeSection(writer, id, () => sections.write(id));
    else if (original !== undefined)
      writeSection(writer, id, () => writer.copy(bytes, original.start, original.end));
  }
  const names = shape.sections.get(SECTION.custom);
  if (names !== undefined)
    writeSection(writer, SECTION.custom, () => writer.copy(bytes, names.start, names.end));
  return { bytes: writer.finish(), shape };
}

function writeSection(writer: ByteWriter, id: number, writeContent: () => void): void {
  writer.u8(id);
  const sized = writer.beginSized();
  writeContent();
  writer.endSized(sized);
}

/** The code section's content, with the helpers that it turned out to need; empty when there is no code. */
function meteredCode(shape: ModuleShape, layout: Layout, canonicalNaN: boolean): Uint8Array {
  const total = shape.bodies.reduce((sum, body) => sum + body.end - body.start, 0);
  const bodies = new ByteWriter(total * 2 + 64);
  const scanner = new BodyScanner(shape, canonicalNaN);
  const emitter = new BodyEmitter(bodies, shape.bytes, layout, scanner.floats);
  shape.bodies.forEach((body, index) => {
    const plan = scanner.scan(index);
    const type = shape.types[shape.functionTypes[shape.importedFunctions + index] ?? 0];
    if (type !== undefined) emitter.emit(plan, type, body.end);
  });
  for (const helper of layout.helpers) writeHelper(bodies, helper, layout);
  writeFillers(bodies, shape.bodies.length, layout);
  const count = shape.bodies.length + layout.helpers.length + layout.fillers.count;
  if (count === 0) return new Uint8Array(0);
  const content = new ByteWriter(bodies.length + 8);
  content.u32(count);
  content.bytes(bodies.finish());
  return content.finish();
}
