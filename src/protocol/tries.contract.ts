/**
 * How often a test tries something drawn at random: `full` times in `npm run soak tests`, where TABMESH_TESTS is "full",
 * and a quarter of that otherwise.
 */
export function tries(full: number): number {
  const env: unknown = Reflect.get(Reflect.get(globalThis, "process") ?? {}, "env");
  const isFull = typeof env === "object" && env !== null && Reflect.get(env, "TABMESH_TESTS") === "full";
  return isFull ? full : Math.ceil(full / 4);
}
