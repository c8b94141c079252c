import { expect, test } from "vitest";
import { watchPageLife } from "./page-life.ts";

/** A page that hears what a browser would tell it, and what its provider was told by that. */
function open(): {
  tell: (target: "document" | "window", type: string, persisted?: boolean) => string;
  end: () => void;
} {
  const page = { document: new EventTarget(), window: new EventTarget() };
  const told: string[] = [];
  const end = watchPageLife(
    { onLeave: (reason) => told.push(reason), onReturn: () => told.push("back") },
    page,
  );
  return {
    tell(target, type, persisted) {
      page[target].dispatchEvent(
        Object.assign(new Event(type), persisted === undefined ? {} : { persisted }),
      );
      return told.join(" ");
    },
    end,
  };
}

test("a page that is frozen says so, and that it is back, as often as it happens", () => {
  const { tell } = open();
  expect(tell("document", "freeze")).toBe("frozen");
  expect(tell("document", "resume")).toBe("frozen back");
  expect(tell("document", "freeze")).toBe("frozen back frozen");
});

test("a page that is closed says so for good", () => {
  const { tell } = open();
  expect(tell("window", "pagehide", false)).toBe("closed");
  expect(tell("window", "pageshow", false)).toBe("closed");
});

test("a page that the browser keeps for later is frozen, told once although two events say it", () => {
  const { tell } = open();
  expect(tell("window", "pagehide", true)).toBe("frozen");
  expect(tell("document", "freeze")).toBe("frozen");
  expect(tell("document", "resume")).toBe("frozen back");
  expect(tell("window", "pageshow", true)).toBe("frozen back");
});

test("the first show of a page is no return, and nothing is heard after the end", () => {
  const { tell, end } = open();
  expect(tell("window", "pageshow", false)).toBe("");
  end();
  expect(tell("document", "freeze")).toBe("");
});
