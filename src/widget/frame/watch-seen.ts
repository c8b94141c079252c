import { COVERED_MS, LEAST_HEIGHT, LEAST_WIDTH } from "../limits.ts";

/** Whether a person can see the frame; `away` where it is scrolled out of view, which is nobody's trick. */
export type Seen = "seen" | "away" | "covered" | "small";

/** What newer engines tell besides (Intersection Observer v2): nothing lies over it, and nothing makes it pale. */
interface VisibleEntry extends IntersectionObserverEntry {
  readonly isVisible?: boolean;
}

interface VisibleInit extends IntersectionObserverInit {
  readonly trackVisibility: boolean;
  readonly delay: number;
}

/** Engines look at most that often whether something is covered, milliseconds. */
const LOOK_MS = 250;

/**
 * Watches whether the page lets a person see that something runs. Where an engine cannot tell what lies over the frame, only
 * its size counts.
 * @param onChange called with the first answer and after each change; `covered` only when it has lasted
 */
export function watchSeen(target: Element, onChange: (seen: Seen) => void): void {
  let told: Seen | undefined;
  let covering: ReturnType<typeof setTimeout> | undefined;
  let latest: VisibleEntry | undefined;
  const tell = (seen: Seen): void => {
    clearTimeout(covering);
    covering = undefined;
    if (seen !== told) onChange(seen);
    told = seen;
  };
  const look = (): void => {
    if (innerWidth < LEAST_WIDTH || innerHeight < LEAST_HEIGHT) return tell("small");
    if (latest === undefined) return;
    if (!latest.isIntersecting) return tell("away");
    // "Not visible" also means that the engine is not sure, for instance while something moves.
    if (latest.isVisible !== false) return tell("seen");
    if (told !== "covered") covering ??= setTimeout(() => tell("covered"), COVERED_MS);
  };
  const options: VisibleInit = { threshold: [0, 0.5, 1], trackVisibility: true, delay: LOOK_MS };
  const observer = new IntersectionObserver((entries) => {
    latest = entries.at(-1) ?? latest;
    look();
  }, options);
  observer.observe(target);
  addEventListener("resize", look);
  look();
}
