import { createInterface } from "node:readline/promises";
import { EXIT, PlainError } from "../plain-error.ts";
import { type HomeFolder, jsonFields, readIfThere, writePrivate } from "./folder.ts";

/** Raise it when NOTICE changes in substance: everybody is told again. */
const NOTICE_VERSION = 1;
const FIELD = "providersCanRead";

export const NOTICE: string =
  "Providers can read inputs. What you send is computed in browser tabs of strangers, who can look at the function,\n" +
  "at every input and at every output. Send nothing that a stranger must not see.\n";

async function wasTold({ told }: HomeFolder): Promise<boolean> {
  const text = await readIfThere(told);
  return text !== undefined && jsonFields(text)?.get(FIELD) === NOTICE_VERSION;
}

async function remember({ told }: HomeFolder): Promise<void> {
  await writePrivate(told, `${JSON.stringify({ [FIELD]: NOTICE_VERSION })}\n`);
}

export interface NoticePorts {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
}

/**
 * Before the first send ever: says that providers can read inputs, and asks where somebody is there to answer.
 * @param isKnown the person has said so on the command line; nothing is printed.
 * @throws PlainError when the answer is no.
 */
export async function tellOnce(home: HomeFolder, isKnown: boolean, ports: NoticePorts): Promise<void> {
  if (isKnown || (await wasTold(home))) return;
  const { input, output } = ports;
  output.write(NOTICE);
  if (input.isTTY && output.isTTY) {
    const dialogue = createInterface({ input, output });
    const answer = await dialogue.question("Go on? [y/N] ");
    dialogue.close();
    if (!/^y(?:es)?$/iu.test(answer.trim()))
      throw new PlainError({ what: "Nothing was sent.", exit: EXIT.failed });
  } else {
    output.write("This is said once; --yes leaves it out.\n");
  }
  await remember(home);
}
