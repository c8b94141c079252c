/**
 * Text from a stranger as it may be shown on a terminal: control characters could move the cursor, change its title or
 * type into it. Tabs and ends of lines stay.
 */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- they are what is taken out
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/gu, "\u{fffd}");
}

/** A stranger's name or licence within a line of ours: it can neither begin another line nor fill the screen. */
export function printableWords(text: string): string {
  const words = printable(text.replaceAll(/\s+/gu, " "));
  return words.length > MOST_WORDS ? `${words.slice(0, MOST_WORDS)}…` : words;
}

const MOST_WORDS = 120;
