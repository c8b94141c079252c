import type { Command } from "commander";
import { writeAll } from "../write-all.ts";

/** Flags of commands that look after a relay's folder. */
export interface DataFlags {
  readonly dataDir: string;
  readonly json?: boolean;
}

export async function say(flags: DataFlags, json: unknown, text: string): Promise<void> {
  await writeAll(process.stdout, `${flags.json === true ? JSON.stringify(json) : text}\n`);
}

export function addDataFlags(command: Command): Command {
  return command
    .option("--data-dir <folder>", "the relay's folder", process.env["TABMESH_DATA_DIR"] ?? ".tabmesh/relay")
    .option("--json", "print the result as JSON");
}
