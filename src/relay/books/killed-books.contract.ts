import { writeSync } from "node:fs";
import { toHex } from "../../protocol/bytes.ts";
import { microCredits } from "../../protocol/units.ts";
import { openLease, openScene, signerOf } from "./books-scene.contract.ts";

/**
 * A process of its own that logs reports until it is killed, and says of each acknowledged entry its index and leaf
 * hash. Started by durability.test.ts with the file as argument.
 */
const [path = ""] = process.argv.slice(2);
const scene = await openScene(path);
const tell = (line: string): void => void writeSync(1, `${line}\n`);

async function work(): Promise<never> {
  for (;;) {
    // oxlint-disable no-await-in-loop -- each report follows the one before
    const lease = await openLease(scene, { cap: microCredits(2_000) }, { budget: microCredits(1_500) });
    for (let i = 0; i < 6; i += 1) {
      const isLast = i === 5;
      const { index, leaf } = await lease.work.go(3).send({
        receipt: { final: isLast },
        advance: { close: isLast },
      });
      tell(`${index} ${toHex(leaf)}`);
    }
    if (Math.random() < 0.5)
      await scene.books.grant(signerOf("somebody").key, microCredits(5), "another test");
    // oxlint-enable no-await-in-loop
  }
}

tell("ready");
await Promise.all([work(), work(), work(), work()]);
