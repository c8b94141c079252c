import { isPeerId, type PeerId } from "../../protocol/peer-id.ts";
import type { PinnedRelay, PinStore } from "../../sdk/index.ts";
import { PlainError } from "../plain-error.ts";
import { type HomeFolder, jsonFields, readIfThere, writePrivate } from "./folder.ts";

/** What this person holds relays to, in one file: pins by origin, and the origin first met at each URL. */
interface Pins {
  readonly relays: Readonly<Record<string, PinnedRelay>>;
  readonly urls: Readonly<Record<string, string>>;
}

const NONE: Pins = { relays: {}, urls: {} };

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isPin(value: unknown): value is PinnedRelay {
  if (!isObject(value)) return false;
  const { origin, keys, pinnedAt, checkpoint } = value;
  return (
    typeof origin === "string" &&
    typeof pinnedAt === "number" &&
    (checkpoint === undefined || typeof checkpoint === "string") &&
    isObject(keys) &&
    isPeerId(keys["log"]) &&
    isPeerId(keys["lease"]) &&
    isPeerId(keys["draw"])
  );
}

function parsePins(text: string): Pins | undefined {
  const fields = jsonFields(text);
  const [relays, urls] = [fields?.get("relays"), fields?.get("urls")];
  if (!isObject(relays) || !isObject(urls)) return undefined;
  const pins = Object.entries(relays).filter((entry): entry is [string, PinnedRelay] => isPin(entry[1]));
  const known = Object.entries(urls).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  if (pins.length < Object.keys(relays).length || known.length < Object.keys(urls).length) return undefined;
  return { relays: Object.fromEntries(pins), urls: Object.fromEntries(known) };
}

/** @throws PlainError when the file is damaged: taking it for empty would trust whatever answers next. */
async function load(path: string): Promise<Pins> {
  const text = await readIfThere(path);
  if (text === undefined) return NONE;
  const pins = parsePins(text);
  if (pins !== undefined) return pins;
  throw new PlainError({
    what: `${path} cannot be read.`,
    why: "It holds the keys that relays showed at first contact, and is damaged.",
    advice: "Remove it to start over: relays are then believed as at a first contact.",
  });
}

function withPin({ relays, urls }: Pins, pin: PinnedRelay): Pins {
  return { relays: { ...relays, [pin.origin]: pin }, urls };
}

/** Pins in a file. Changes of this process follow one another; between processes the last one wins. */
export function filePins({ relays: path }: HomeFolder): PinStore {
  let turn: Promise<unknown> = Promise.resolve();
  function change<T>(step: (pins: Pins) => readonly [T, Pins | undefined]): Promise<T> {
    const next = turn.then(async () => {
      const [answer, changed] = step(await load(path));
      if (changed !== undefined) await writePrivate(path, `${JSON.stringify(changed, undefined, 2)}\n`);
      return answer;
    });
    turn = next.catch(() => undefined);
    return next;
  }
  return {
    pin: (pin) =>
      change((pins) => {
        const known = pins.relays[pin.origin];
        return known === undefined ? [pin, withPin(pins, pin)] : [known, undefined];
      }),
    update: (pin) => change((pins) => [undefined, withPin(pins, pin)]),
    bind: (url, origin) =>
      change(({ relays, urls }) => {
        const known = urls[url];
        return known === undefined
          ? [origin, { relays, urls: { ...urls, [url]: origin } }]
          : [known, undefined];
      }),
  };
}

/** The log key that the relay of this origin showed at first contact, or replaced it by since. */
export async function pinnedLogKey(
  { relays: path }: HomeFolder,
  origin: string,
): Promise<PeerId | undefined> {
  return (await load(path)).relays[origin]?.keys.log;
}

/** Starts over with the relay at a URL. @returns its origin, if it was known. */
export async function forgetRelay({ relays: path }: HomeFolder, url: string): Promise<string | undefined> {
  const { relays, urls } = await load(path);
  const origin = urls[url];
  if (origin === undefined) return undefined;
  const left: Pins = {
    relays: Object.fromEntries(Object.entries(relays).filter(([name]) => name !== origin)),
    urls: Object.fromEntries(Object.entries(urls).filter(([known]) => known !== url)),
  };
  await writePrivate(path, `${JSON.stringify(left, undefined, 2)}\n`);
  return origin;
}
