import { FailureError } from "../../../protocol/failure.ts";
import type { GuestMemory } from "../../guest-memory.ts";
import { BYTES_PER_FUEL, HOST_CALL_FUEL, STACK_WORDS } from "../../limits.ts";
import type { TaskLimits } from "../../task.ts";
import { type Gauges, gaugesOf, takeFuel } from "../../trap.ts";
import type { ByteSink } from "../../wasi/byte-sinks.ts";
import type { Program } from "../../wasi/program.ts";
import type { CompiledComponent } from "../compile-component.ts";
import type { HostContext } from "../host/host-function.ts";
import { CROSSING_WORDS, MAX_FLAT_RESULTS } from "../limits.ts";
import type { ComponentFunction, CoreItem, ResolvedOptions, Trampoline } from "../link/plan.ts";
import type { ResourceType } from "../types/resource-type.ts";
import type { FunctionType } from "../types/value-type.ts";
import { mismatch, type Value } from "../values/value.ts";
import { CoreInstances } from "./core-instances.ts";
import { HandleTable } from "./handle-table.ts";
import { type CoreValue, liftValues } from "./lift.ts";
import { lowerFlat, lowerValues, storeResult } from "./lower.ts";
import { refuseValue, Side, trapMemory } from "./side.ts";

/** What the Canonical ABI keeps of a component instance. */
class ComponentInstance {
  readonly handles: HandleTable = new HandleTable();
  /** A call of one of its exports has not returned: components are not entered twice. */
  entered = false;
  /** Its allocator or clean-up runs on behalf of the host and may not call out. */
  confined = false;
}

/** One task's instance of a component. Crossings between its parts and the host happen here and nowhere else. */
export class RunningComponent {
  readonly gauges: Gauges;
  readonly #cores: CoreInstances;
  readonly #instances: readonly ComponentInstance[];
  readonly #limits: TaskLimits;
  readonly #context: HostContext;
  /** Words of stack that the host may give to what it calls next: a metered function does not give its words back. */
  #stackLeft = STACK_WORDS;
  /** What ended the task. A component that catches the exception cannot go on either. */
  #ending: unknown;

  /** @param stdout where the program's standard output goes */
  constructor(compiled: CompiledComponent, limits: TaskLimits, program: Program, stdout: ByteSink) {
    this.#limits = limits;
    this.#cores = new CoreInstances(compiled, limits, (trampoline) => this.#makeTrampoline(trampoline));
    this.gauges = gaugesOf(this.#cores.gauges);
    this.#instances = Array.from({ length: compiled.plan.componentInstances }, () => new ComponentInstance());
    this.#context = { program, stdout, chargeBytes: (count) => this.#chargeBytes(count) };
  }

  /** All linear memories together, bytes. */
  get memoryBytes(): number {
    return this.#cores.memoryBytes;
  }

  /** Makes the core instances. @throws what CoreInstances.start throws, and whatever the code in it ends with */
  start(): void {
    this.#cores.start();
    this.#checkEnding();
  }

  /** Calls an exported function. @returns undefined when its type has no result */
  call(callee: ComponentFunction, args: readonly Value[]): Value | undefined {
    const result = this.#call(callee, args);
    this.#checkEnding();
    return result;
  }

  /** Takes fuel for work of the host that no call stands for. @throws FailureError `out-of-fuel` */
  chargeBytes(count: number): void {
    this.#chargeBytes(count);
  }

  #checkEnding(): void {
    // oxlint-disable-next-line typescript/only-throw-error -- what was thrown before goes on as it was
    if (this.#ending !== undefined) throw this.#ending;
  }

  #chargeBytes(count: number): void {
    if (count > 0) takeFuel(this.gauges, BigInt(Math.ceil(count / BYTES_PER_FUEL)));
  }

  #instance(index: number): ComponentInstance {
    const found = this.#instances[index];
    if (found === undefined) throw new TypeError("the plan names a component instance that does not exist");
    return found;
  }

  #side(owner: number, options: ResolvedOptions): Side {
    const instance = this.#instance(owner);
    const { memory, realloc } = options;
    return new Side({
      encoding: options.encoding,
      owner,
      handles: instance.handles,
      memory: memory === undefined ? undefined : this.#memory(memory),
      allocate: realloc === undefined ? undefined : this.#allocator(instance, realloc),
      chargeBytes: (count) => this.#chargeBytes(count),
      mostBytes: this.#limits.memoryBytes,
    });
  }

  #memory(item: CoreItem): GuestMemory {
    return this.#cores.memory(item, () => trapMemory("a range outside its memory"));
  }

  #allocator(instance: ComponentInstance, realloc: CoreItem): (alignment: number, bytes: number) => number {
    return (alignment, bytes) =>
      this.#confined(instance, () => {
        takeFuel(this.gauges, HOST_CALL_FUEL);
        return Number(this.#core(realloc, [0, 0, alignment, bytes])) >>> 0;
      });
  }

  #confined<T>(instance: ComponentInstance, run: () => T): T {
    const before = instance.confined;
    instance.confined = true;
    const result = run();
    instance.confined = before;
    return result;
  }

  #call(callee: ComponentFunction, args: readonly Value[]): Value | undefined {
    if (callee.kind === "host") return callee.run(this.#context, args);
    const instance = this.#instance(callee.owner);
    if (instance.entered)
      throw new FailureError("trap-unreachable", "a component was entered while it was running");
    instance.entered = true;
    takeFuel(this.gauges, HOST_CALL_FUEL);
    const result = this.#callLifted(callee, instance, args);
    instance.entered = false;
    return result;
  }

  #callLifted(
    { type, core, options, owner }: Extract<ComponentFunction, { readonly kind: "lifted" }>,
    instance: ComponentInstance,
    args: readonly Value[],
  ): Value | undefined {
    const side = this.#side(owner, options);
    const types = type.parameters.map((parameter) => parameter.type);
    const flat = lowerValues(side, types, args);
    const returned = this.#core(core, flat);
    const values = typeof returned === "number" || typeof returned === "bigint" ? [returned] : [];
    const result = type.result === undefined ? undefined : this.#liftResult(side, type, values);
    const { postReturn } = options;
    if (postReturn !== undefined) this.#confined(instance, () => this.#core(postReturn, values));
    if (side.scope.borrows > 0) refuseValue("nothing back of a handle that it had borrowed");
    return result;
  }

  #liftResult(side: Side, type: FunctionType, values: readonly CoreValue[]): Value {
    const types = type.result === undefined ? [] : [type.result];
    const [result] = liftValues(side, types, values, MAX_FLAT_RESULTS);
    return result ?? mismatch("result");
  }

  #makeTrampoline(trampoline: Trampoline): (...args: CoreValue[]) => CoreValue | undefined {
    const run = this.#trampolineBody(trampoline);
    return (...args) => {
      this.#checkEnding();
      try {
        return this.#crossing(trampoline.owner, () => run(args));
      } catch (error) {
        this.#ending ??= error;
        throw error;
      }
    };
  }

  /** The frames of a crossing are the host's: they count on the stack as if they were the component's. */
  #crossing<T>(owner: number, run: () => T): T {
    if (this.#instance(owner).confined)
      throw new FailureError(
        "trap-unreachable",
        "a component's allocator or clean-up called a function that it imports",
      );
    takeFuel(this.gauges, HOST_CALL_FUEL);
    const before = this.#stackLeft;
    this.#stackLeft = this.gauges.stack.value - CROSSING_WORDS;
    if (this.#stackLeft < 0) {
      this.gauges.stack.value = this.#stackLeft;
      throw new FailureError("stack-overflow", "calls nested deeper than the profile's stack");
    }
    const result = run();
    this.#stackLeft = before;
    return result;
  }

  /** Calls into a core instance with the stack that is left. */
  #core(item: CoreItem, args: readonly CoreValue[]): unknown {
    const call = this.#cores.function(item);
    this.gauges.stack.value = this.#stackLeft;
    return call(...args);
  }

  #trampolineBody(trampoline: Trampoline): (args: readonly CoreValue[]) => CoreValue | undefined {
    const handles = (): HandleTable => this.#instance(trampoline.owner).handles;
    switch (trampoline.kind) {
      case "lower":
        return (args) => this.#lowered(trampoline, args);
      case "resource-new":
        return ([representation]) =>
          handles().add({
            type: trampoline.resource,
            representation: Number(representation),
            lender: undefined,
            lends: 0,
          });
      case "resource-rep":
        return ([index]) => {
          const { representation } = handles().get(Number(index) >>> 0, trampoline.resource);
          return typeof representation === "number" ? representation : mismatch("representation");
        };
      case "resource-drop":
        return ([index]) => this.#dropHandle(trampoline, Number(index) >>> 0);
      default:
        return trampoline satisfies never;
    }
  }

  #dropHandle(
    { resource, owner }: { readonly resource: ResourceType; readonly owner: number },
    index: number,
  ): undefined {
    const { representation, lender } = this.#instance(owner).handles.remove(index, resource);
    if (lender !== undefined) lender.borrows -= 1;
    else if (typeof representation !== "number") representation.drop(this.#context);
    else if (resource.owner === "guest" && resource.destructor !== undefined) {
      const instance = this.#instance(resource.instance);
      if (resource.instance !== owner && instance.entered)
        throw new FailureError("trap-unreachable", "a component was entered while it was running");
      this.#core(resource.destructor, [representation]);
    }
    return undefined;
  }

  /** A component calls what it imports: its values are lifted from its memory, and the result is lowered into it. */
  #lowered(
    { callee, options, owner }: Extract<Trampoline, { readonly kind: "lower" }>,
    args: readonly CoreValue[],
  ): CoreValue | undefined {
    const { type } = callee;
    const side = this.#side(owner, options);
    const types = type.parameters.map((parameter) => parameter.type);
    const values = liftValues(side, types, args);
    const result = this.#call(callee, values);
    for (const handle of side.lent) handle.lends -= 1;
    if (type.result === undefined) return undefined;
    const value = result ?? mismatch("result");
    if (type.result.flat.length > MAX_FLAT_RESULTS) {
      storeResult(side, type.result, value, Number(args.at(-1)) >>> 0);
      return undefined;
    }
    const flat: CoreValue[] = [];
    lowerFlat(side, type.result, value, flat);
    return flat[0];
  }
}
