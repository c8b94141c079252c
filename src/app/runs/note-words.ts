import { sentence } from "../editor/connections.ts";
import { noProviderWords } from "../words/no-provider-words.ts";

/** What a run says on its way, as in "count: 2 providers: 2 busy", for a person. */
export function noteWords(text: string): string {
  const [, node, rest] = /^([\w-]+): (.+)$/su.exec(text) ?? [];
  const why = noProviderWords(rest ?? text);
  if (why === undefined) return rest === undefined ? sentence(text) : `“${node ?? ""}”: ${sentence(rest)}`;
  const reasons = why.reasons.map((reason) => `${reason.sentence}.`);
  return [node === undefined ? why.title : `“${node}”: ${why.title}`, ...reasons]
    .join(". ")
    .replaceAll("..", ".");
}
