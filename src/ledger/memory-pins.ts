import type { PinnedRelay, PinStore } from "./relay-contact.ts";

/** Pins for as long as the program runs. */
export function createMemoryPins(): PinStore {
  const pins = new Map<string, PinnedRelay>();
  const origins = new Map<string, string>();
  return {
    pin(pin) {
      const known = pins.get(pin.origin) ?? pin;
      pins.set(pin.origin, known);
      return Promise.resolve(known);
    },
    update(pin) {
      pins.set(pin.origin, pin);
      return Promise.resolve();
    },
    bind(url, origin) {
      const known = origins.get(url) ?? origin;
      origins.set(url, known);
      return Promise.resolve(known);
    },
  };
}
