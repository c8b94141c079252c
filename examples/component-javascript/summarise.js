/** A component in JavaScript: its export is the function of the world in text.wit. */
export function summarise(text) {
  const words = text.split(/[ \t-\r]+/u).filter((word) => word !== "");
  const lengths = words.map((word) => [...word].length);
  const longest = words[lengths.indexOf(Math.max(...lengths))] ?? "";
  return { words: words.length, longest, lengths };
}
