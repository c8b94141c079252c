import type { PinnedRelay, PinStore } from "./relay-contact.ts";

/** Pins for as long as the program runs. */
export function createMemoryPins(): PinStore {
  const pins = new Map<string, PinnedRelay>();
  const change = (url: string, part: Partial<PinnedRelay>): Promise<void> => {
    const known = pins.get(url);
    if (known !== undefined) pins.set(url, { ...known, ...part });
    return Promise.resolve();
  };
  return {
    pin(pin) {
      const known = pins.get(pin.url) ?? pin;
      pins.set(pin.url, known);
      return Promise.resolve(known);
    },
    remember: (url, checkpoint) => change(url, { checkpoint }),
    rekey: (url, keys) => change(url, { keys }),
  };
}
