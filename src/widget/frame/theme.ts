import { contrast, isDark, LEAST_CONTRAST, type Rgb } from "./contrast.ts";

/** Longest colour or list of fonts a page may wish for. */
const MAX_WISH_LENGTH = 200;
const FONT = /^[\w\s,."'-]+$/u;

/** Any colour the browser knows, as bytes; undefined where it is none, or lets something through. */
function parseColour(wish: string | undefined): Rgb | undefined {
  if (wish === undefined || wish.length > MAX_WISH_LENGTH || !CSS.supports("color", wish)) return undefined;
  const canvas = document.createElement("canvas");
  canvas.width = 1;
  canvas.height = 1;
  const context = canvas.getContext("2d");
  if (context === null) return undefined;
  context.fillStyle = wish;
  context.fillRect(0, 0, 1, 1);
  const [red = 0, green = 0, blue = 0, opacity = 0] = context.getImageData(0, 0, 1, 1).data;
  return opacity === 255 ? [red, green, blue] : undefined;
}

function css([red, green, blue]: Rgb): string {
  return `rgb(${red} ${green} ${blue})`;
}

/**
 * Takes on the page's colours, as far as everything can still be read: a page that hides words, or the button that stops,
 * gets the frame's own colours.
 */
export function applyTheme(wishes: ReadonlyMap<string, string>): void {
  const { style, dataset } = document.documentElement;
  const [text, ground, accent, onAccent] = ["text", "ground", "accent", "onAccent"].map((name) =>
    parseColour(wishes.get(name)),
  );
  const font = wishes.get("font");
  if (font !== undefined && font.length <= MAX_WISH_LENGTH && FONT.test(font))
    style.setProperty("--font", font);
  if (text === undefined || ground === undefined || contrast(text, ground) < LEAST_CONTRAST) return;
  dataset["theme"] = isDark(ground) ? "dark" : "light";
  style.setProperty("--card", css(ground));
  style.setProperty("--ink", css(text));
  if (accent === undefined || onAccent === undefined || contrast(accent, onAccent) < LEAST_CONTRAST) return;
  style.setProperty("--accent", css(accent));
  style.setProperty("--on-accent", css(onAccent));
}
