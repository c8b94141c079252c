import { Command, CommanderError, Option } from "commander";
import type { Quality } from "../../../examples/raytrace/scene.ts";
import { UndoStack } from "../../relay/undo-stack.ts";
import { explain, explanationJson, explanationText } from "../explain.ts";
import { listenForInterrupts } from "../interrupts.ts";
import { QUALITIES } from "../picture/picture-job.ts";
import { EXIT, type Exit } from "../plain-error.ts";
import { writeAll } from "../write-all.ts";
import { demonstrate, type PictureDemoOptions } from "./demo.ts";
import { demonstrateModel } from "./model-demo.ts";
import { demonstratePipeline } from "./pipeline-demo.ts";
import { Narrator } from "./narrator.ts";

interface DemoFlags {
  readonly quality: Quality;
  readonly out: string;
  readonly json?: boolean;
  readonly keep?: boolean;
  readonly blockWebrtc?: boolean;
  readonly model?: boolean;
  readonly pipeline?: boolean;
}

/** What is shown: the first that was asked for. */
function showOf({ model, pipeline }: DemoFlags): {
  readonly title: string;
  readonly demonstrate: (
    options: PictureDemoOptions,
    narrator: Narrator,
    undo: UndoStack,
  ) => Promise<{ readonly result: object; readonly url: string }>;
} {
  if (pipeline === true)
    return {
      title: "Tabmesh: four tabs collect, cut, embed and rank documents, and sign for every step",
      demonstrate: demonstratePipeline,
    };
  if (model === true)
    return { title: "Tabmesh: a tab runs a model, and is paid for it", demonstrate: demonstrateModel };
  return { title: "Tabmesh: a tab renders a picture, and is paid for it", demonstrate };
}

async function run(flags: DemoFlags): Promise<Exit> {
  const screen = flags.json === true ? process.stderr : process.stdout;
  const undo = new UndoStack();
  const interrupts = listenForInterrupts(() => {
    screen.write("\nStopping.\n");
    void undo.run().catch(() => undefined);
  });
  const narrator = new Narrator(screen);
  const { blockWebrtc = false } = flags;
  const show = showOf(flags);
  narrator.heading(show.title);
  try {
    const options = { ...flags, blockWebrtc, screen, signal: interrupts.signal };
    const { result, url } = await show.demonstrate(options, narrator, undo);
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
    "Opens tabs in a real browser, lets them render a picture, run a model or a plan, and shows that they are paid.",
  )
  .option("--model", "embed and rank lines of text with the model that came with npm install")
  .option("--pipeline", "run a plan over four tabs: collect, cut, embed and rank documents")
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
