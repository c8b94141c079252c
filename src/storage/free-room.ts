/** Bytes that the browser grants this origin beyond what it holds; browsers tell no more than a bound. */
export async function freeRoom(): Promise<number> {
  const { quota = 0, usage = 0 } = await navigator.storage.estimate();
  return Math.max(0, quota - usage);
}
