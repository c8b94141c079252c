import { writeSync } from "node:fs";
import { microCredits } from "../../protocol/units.ts";
import { signerOf } from "./books-scene.contract.ts";
import { openPayoutScene } from "./payout-scene.contract.ts";

/**
 * A process of its own that credits an account and pays it out until it is killed, and says what was acknowledged. Started by
 * killed-payouts.test.ts with the file and the first round as arguments.
 */
const [path = "", first = "0"] = process.argv.slice(2);
const scene = await openPayoutScene(path);
const { payouts } = scene.books;
const ana = signerOf("ana");
const tell = (line: string): void => void writeSync(1, `${line}\n`);

if (payouts.address(ana.key) === undefined) await scene.address(ana, "bank");
tell("ready");
for (let round = Number(first); ; round += 1) {
  // oxlint-disable no-await-in-loop -- one payment after the other
  await payouts.credit(ana.key, microCredits(1_000), `round ${round}`);
  tell(`credited ${round}`);
  const { batch } = await payouts.prepare(microCredits(1));
  if (batch !== undefined) {
    tell(`prepared ${batch.id}`);
    const isPaid = round % 3 !== 0;
    await (isPaid ? payouts.confirm(batch.id, "run") : payouts.cancel(batch.id));
    tell(`${isPaid ? "paid" : "cancelled"} ${batch.id}`);
  }
  // oxlint-enable no-await-in-loop
}
