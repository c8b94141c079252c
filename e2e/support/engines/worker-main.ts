import { answersOf, type Subject } from "./answers.ts";

/** A thread of a browser: fetches the tasks from where it came from and posts the answers, or what went wrong. */
async function main(): Promise<readonly string[]> {
  const response = await fetch("/subjects.json");
  const subjects: readonly Subject[] = await response.json();
  return answersOf(subjects);
}

/* oxlint-disable unicorn/require-post-message-target-origin -- a thread's, not a window's */
main().then(
  (answers) => self.postMessage(answers),
  (error: unknown) => self.postMessage(String(error)),
);
