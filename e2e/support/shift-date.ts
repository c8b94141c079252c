/**
 * Makes this realm's clock wrong: a Date in the place of its own. Stands alone, so that a page can be given it as well.
 * `globalThis.shiftMs` may be changed later, as a person sets a clock.
 * @param shiftMs milliseconds by which the clock is ahead.
 */
export function shiftDate(this: void, shiftMs: number): void {
  Reflect.set(globalThis, "shiftMs", shiftMs);
  const { now } = Date;
  const shifted = (): number => now() + Number(Reflect.get(globalThis, "shiftMs"));
  globalThis.Date = new Proxy(Date, {
    construct: (target, given) => Reflect.construct(target, given.length === 0 ? [shifted()] : given),
    get: (target, name) => (name === "now" ? shifted : Reflect.get(target, name)),
  });
}
