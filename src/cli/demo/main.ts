import { Command, CommanderError, Option } from "commander";
import type { Quality } from "../../../examples/raytrace/scene.ts";
import { UndoStack } from "../../relay/undo-stack.ts";
import { explain, explanationJson, explanationText } from "../explain.ts";
import { listenForInterrupts } from "../interrupts.ts";
import { QUALITIES } from "../picture/picture-job.ts";
import { EXIT, type Exit } from "../plain-error.ts";
import { writeAll } from "../write-all.ts";
import { demonstrate } from "./demo.ts";
import { demonstrateModel } from "./model-demo.ts";
import { Narrator } from "./narrator.ts";

interface DemoFlags {
  readonly quality: Quality;
  readonly out: string;
  readonly json?: boolean;
  readonly keep?: boolean;
  readonly blockWebrtc?: boolean;
  readonly model?: boolean;
}

async function run(flags: DemoFlags): Promise<Exit> {
  const screen = flags.json === true ? process.stderr : process.stdout;
  const undo = new UndoStack();
  const interrupts = listenForInterrupts(() => {
    screen.write("\nStopping.\n");
    void undo.run().catch(() => undefined);
  });
  const narrator = new Narrator(screen);
  const { model, blockWebrtc = false } = flags;
  narrator.heading(
    `Tabmesh: a tab ${model === true ? "runs a model" : "renders a picture"}, and is paid for it`,
  );
  try {
    const options = { ...flags, blockWebrtc, screen, signal: interrupts.signal };
    const { result, url } = await (model === true ? demonstrateModel : demonstrate)(options, narrator, undo);
    if (flags.keep === true) {
      narrator.heading(
        `All of it stays up. Open ${url} to contribute with a tab of your own; Ctrl-C ends it.`,
      );
      await new Promise((resolve) => interrupts.signal.addEventListener("abort", resolve, { once: true }));
    }
    await undo.run();
    if (flags.json === true) await writeAll(process.stdout, `${JSON.stringify(result)}\n`);
    return EXIT.ok;
  } catch (error) {
    await undo.run().catch(() => undefined);
    if (interrupts.signal.aborted) return EXIT.interrupted;
    const explanation = explain(error);
    await writeAll(process.stderr, `\n${explanationText(explanation)}`);
    if (flags.json === true)
      await writeAll(process.stdout, `${JSON.stringify(explanationJson(explanation))}\n`);
    return explanation.exit;
  }
}

let exit: Exit = EXIT.ok;
const program = new Command("npm run demo --")
  .description(
    "Opens a tab in a real browser, lets it render a picture or run a model, and shows that it is paid.",
  )
  .option("--model", "embed and rank lines of text with the model that came with npm install")
  .addOption(new Option("--quality <quality>", "paths per pixel").choices([...QUALITIES]).default("draft"))
  .option("--out <file>", "picture to write", "out/studio.png")
  .option("--json", "end with one line of JSON on standard output")
  .option("--keep", "stay up afterwards, and print the address to open by hand")
  .option("--block-webrtc", "start the browser without WebRTC over UDP, to see what happens then")
  .addHelpText("after", "\nExample:\n  npm run demo -- --quality standard --keep")
  .exitOverride()
  .action(async (flags: DemoFlags) => {
    exit = await run(flags);
  });
try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  exit = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
}
process.exit(exit);
