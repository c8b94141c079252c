import { readFile, stat } from "node:fs/promises";
import { usageError } from "./plain-error.ts";

/**
 * Lets a command write to a path only where nothing is lost: what is no file, an empty one, or an earlier result of its own.
 * @param isOwn whether a file's bytes are such a result
 * @param kind of result, as in "a model file"
 * @throws PlainError when there is another file and nobody said --force
 */
export async function requireWritable(
  path: string,
  isOwn: (bytes: Buffer) => boolean,
  kind: string,
): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || !found.isFile() || found.size === 0 || isOwn(await readFile(path))) return;
  throw usageError(`${path} exists already, and is not ${kind}.`, "Use --force to write over it.");
}
