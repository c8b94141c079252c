import { type KeptOutput, sizeOf } from "./jobs-kept.ts";

/** A file for an archive. */
export interface ArchiveFile {
  readonly name: string;
  readonly content: KeptOutput;
}

const BLOCK = 512;

/**
 * An archive that every system opens: POSIX ustar (IEEE Std 1003.1, pax, "ustar Interchange Format"). Nothing is copied:
 * the contents stay where the browser keeps them. @param seconds time of all files, since 1970
 */
export function tarOf(files: readonly ArchiveFile[], seconds: number): Blob {
  const parts: BlobPart[] = [];
  for (const { name, content } of files) {
    const size = sizeOf(content);
    parts.push(headerOf(name, size, seconds), content);
    const rest = size % BLOCK;
    if (rest > 0) parts.push(new Uint8Array(BLOCK - rest));
  }
  parts.push(new Uint8Array(2 * BLOCK));
  return new Blob(parts, { type: "application/x-tar" });
}

/** Names of results lie below the folder they are unpacked in, whatever the person's files were called, and each once. */
export function archiveNames(wanted: readonly string[]): readonly string[] {
  const taken = new Set<string>();
  return wanted.map((name) => {
    const safe = safeName(name);
    let free = safe;
    for (let copy = 2; taken.has(free); copy += 1) free = withNumber(safe, copy);
    taken.add(free);
    return free;
  });
}

/** Bytes that the name field holds, and room for a number. */
const NAME_BYTES = 90;

function safeName(name: string): string {
  const parts = name
    .split(/[/\\]/u)
    .map((part) => part.replace(/[\p{Cc}\p{Cf}:*?"<>|]/gu, "_").trim())
    .filter((part) => part !== "" && !/^\.+$/u.test(part));
  const joined = parts.join("/") || "output";
  return new TextEncoder().encode(joined).length <= NAME_BYTES ? joined : shortened(joined);
}

/** The end of a long name says more than its beginning: it has the file's own name and kind. */
function shortened(name: string): string {
  let tail = name.replace(/[^\u0020-\u007e]/gu, "_").slice(-NAME_BYTES);
  while (tail.startsWith("/") || tail.startsWith(".")) tail = tail.slice(1);
  return tail;
}

function withNumber(name: string, copy: number): string {
  const dot = name.lastIndexOf(".");
  const hasKind = dot > name.lastIndexOf("/") + 1;
  return hasKind ? `${name.slice(0, dot)}-${copy}${name.slice(dot)}` : `${name}-${copy}`;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, "0");
}

function headerOf(name: string, size: number, seconds: number): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(BLOCK);
  const text = (at: number, value: string): void => {
    header.set(new TextEncoder().encode(value), at);
  };
  text(0, name);
  text(100, "0000644\0");
  text(108, "0000000\0");
  text(116, "0000000\0");
  text(124, `${octal(size, 11)}\0`);
  text(136, `${octal(Math.floor(seconds), 11)}\0`);
  text(148, "        ");
  text(156, "0");
  text(257, "ustar\0");
  text(263, "00");
  const sum = header.reduce((total, byte) => total + byte, 0);
  text(148, `${octal(sum, 6)}\0 `);
  return header;
}
