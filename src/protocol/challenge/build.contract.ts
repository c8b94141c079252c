/**
 * Assembles burn.wat: `node src/protocol/challenge/build.contract.ts` rewrites burn-module.ts. The bytes are part of the wire
 * format: whoever changes them changes what every challenge answers.
 */
import { readFileSync, writeFileSync } from "node:fs";
import loadWabt from "wabt";

const SOURCE = new URL("burn.wat", import.meta.url);

export async function assembleBurn(): Promise<Uint8Array> {
  const wabt = await loadWabt();
  const parsed = wabt.parseWat("burn.wat", readFileSync(SOURCE, "utf8"));
  const { buffer } = parsed.toBinary({ write_debug_names: false });
  parsed.destroy();
  return Uint8Array.from(buffer);
}

if (import.meta.main) {
  const text = Buffer.from(await assembleBurn()).toString("hex");
  writeFileSync(
    new URL("burn-module.ts", import.meta.url),
    [
      "/** Made by build.contract.ts from burn.wat. Hexadecimal. */",
      "// oxfmt-ignore",
      `export const BURN_MODULE: string = "${text}";`,
      "",
    ].join("\n"),
  );
}
