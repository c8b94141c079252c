import { createInterface } from "node:readline/promises";
import { PlainError, usageError } from "./plain-error.ts";

/**
 * Asks a person before something that cannot be undone.
 * @param yes whether the command line says so already
 * @throws PlainError when the answer is not yes, or nobody can be asked
 */
export async function requireConsent(
  question: string,
  yes: boolean | undefined,
  { input, output }: { readonly input: NodeJS.ReadStream; readonly output: NodeJS.WriteStream },
): Promise<void> {
  if (yes === true) return;
  if (!input.isTTY) throw usageError(question, "Nobody can be asked here: say --yes.");
  const dialogue = createInterface({ input, output });
  try {
    const answer = await dialogue.question(`${question} [y/N] `);
    if (!/^y(?:es)?$/iu.test(answer.trim())) throw new PlainError({ what: "Nothing was done." });
  } finally {
    dialogue.close();
  }
}
