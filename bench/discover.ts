import { glob } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** What a list of modules exports under one name, in the order of their files. */
export async function discover<T>(
  folder: string,
  patterns: readonly string[],
  exported: string,
  isOne: (value: unknown) => value is T,
): Promise<readonly T[]> {
  const paths: string[] = [];
  for await (const path of glob(patterns, { cwd: folder, exclude: ["node_modules/**"] })) paths.push(path);
  const found: T[] = [];
  for (const path of paths.toSorted()) {
    // Modules may measure while they load.
    const module: Readonly<Record<string, unknown>> = await import(pathToFileURL(join(folder, path)).href);
    const list: unknown = module[exported];
    // Some files measure for others, who give the numbers their names and goals.
    if (list === undefined) continue;
    if (!Array.isArray(list) || !list.every(isOne))
      throw new Error(`${path} does not export a list of ${exported}`);
    found.push(...list);
  }
  return found;
}
