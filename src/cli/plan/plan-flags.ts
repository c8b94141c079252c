import { InvalidArgumentError } from "commander";
import { isPeerId, type PeerId } from "../../protocol/peer-id.ts";
import { parsePair } from "../quantities.ts";

export function each<T>(
  read: (text: string) => T,
): (text: string, before: readonly T[] | undefined) => readonly T[] {
  return (text, before = []) => [...before, read(text)];
}

/** @throws InvalidArgumentError */
export function parseOrigin(text: string): string {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:"))
    throw new InvalidArgumentError("It takes an origin, such as http://127.0.0.1:9400.");
  return url.origin;
}

/** @throws InvalidArgumentError */
export function parsePeer(text: string): PeerId {
  if (isPeerId(text)) return text;
  throw new InvalidArgumentError(
    "It takes an identity, such as 12D3KooW…; `npx tabmesh identity show` prints one.",
  );
}

/** A value on the command line is seen by whoever lists this machine's processes: the environment is the better place. */
export function parseSecret(text: string): readonly [string, string] {
  if (text.includes("=")) return parsePair(text);
  const value = process.env[text];
  if (value === undefined) throw new InvalidArgumentError(`There is no environment variable ${text}.`);
  return [text, value];
}
