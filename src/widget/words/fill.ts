/** Puts values into a sentence: "{site} asks" with `{site: "news.example"}`. What has no value stays as it is. */
export function fill(sentence: string, values: Readonly<Record<string, string>>): string {
  return sentence.replaceAll(/\{(\w+)\}/gu, (whole, name: string) => values[name] ?? whole);
}
