const STEPS = [
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
] as const;

/** Three significant digits with an SI prefix: "0", "999", "1.20 k", "34.5 G". */
export function scaledText(value: number): string {
  for (const [size, prefix] of STEPS) {
    if (value >= size) return `${(value / size).toPrecision(3)} ${prefix}`;
  }
  return Number.isInteger(value) ? value.toString() : value.toPrecision(2);
}

/** Tasks per second: one decimal below ten, none above; "0" when nothing ended lately. */
export function rateText(perSecond: number): string {
  if (perSecond <= 0) return "0";
  if (perSecond < 0.1) return "< 0.1";
  return perSecond < 10 ? perSecond.toFixed(1) : Math.round(perSecond).toLocaleString("en");
}

/** Made once: a list asks for it dozens of times a frame. */
const COUNT = new Intl.NumberFormat("en");

export function countText(count: number): string {
  return COUNT.format(count);
}

/** "1 receipt", "2 receipts". */
export function counted(count: number, noun: string): string {
  return `${countText(count)} ${noun}${count === 1 ? "" : "s"}`;
}
