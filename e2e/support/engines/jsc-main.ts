// oxlint-disable-next-line import/no-unassigned-import -- gives the realm what it lacks, before anything else is loaded
import "./jsc-realm.ts";
import { answersOf, type Subject } from "./answers.ts";

/** What JavaScriptCore's shell has besides the language. */
declare const read: (path: string) => string;
declare const print: (line: string) => void;
declare const quit: (code: number) => void;

/** `jsc bundle.js -- subjects.json` prints an array of answers. */
const [path = ""] = (globalThis as unknown as { readonly arguments: readonly string[] }).arguments;

try {
  const subjects: readonly Subject[] = JSON.parse(read(path));
  print(JSON.stringify(await answersOf(subjects)));
} catch (error) {
  print(error instanceof Error ? `${error.name}: ${error.message}\n${error.stack ?? ""}` : String(error));
  quit(1);
}
