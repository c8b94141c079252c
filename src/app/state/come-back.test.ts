import { signal } from "@preact/signals";
import { expect, test } from "vitest";
import { comesBack, type TabPast } from "./come-back.ts";

/** A tab's own storage, as it outlives the page. */
function tab(): { past: (wasDiscarded: boolean) => TabPast } {
  const kept = new Map<string, string>();
  const store = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  };
  return { past: (wasDiscarded) => ({ wasDiscarded, store }) };
}

test("a tab that was contributing when the browser discarded it goes on when the person comes back", () => {
  const { past } = tab();
  expect(comesBack(past(false), signal(true))).toBe(false);
  expect(comesBack(past(true), signal(false))).toBe(true);
});

test("a tab that is reloaded by hand does not start by itself", () => {
  const { past } = tab();
  comesBack(past(false), signal(true));
  expect(comesBack(past(false), signal(false))).toBe(false);
});

test("a tab that was switched off before it was discarded stays off", () => {
  const { past } = tab();
  const isOn = signal(true);
  comesBack(past(false), isOn);
  isOn.value = false;
  expect(comesBack(past(true), signal(false))).toBe(false);
});

test("where the browser keeps nothing, nothing starts by itself", () => {
  expect(comesBack(undefined, signal(true))).toBe(false);
});
