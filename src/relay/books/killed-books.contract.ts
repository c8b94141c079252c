import { writeSync } from "node:fs";
import { toHex } from "../../protocol/bytes.ts";
import { assignMessage } from "../../protocol/messages/assign.ts";
import { siteMessage } from "../../protocol/messages/site.ts";
import { ownersPpm, siteId } from "../../protocol/site.ts";
import { microCredits } from "../../protocol/units.ts";
import { HEAD, openLease, openScene, signerOf, START, verifiedMessage } from "./books-scene.contract.ts";

/**
 * A process of its own that logs reports until it is killed, and says of each acknowledged entry its index and leaf
 * hash. Started by durability.test.ts with the file as argument.
 */
const [path = ""] = process.argv.slice(2);
const scene = await openScene(path);
const tell = (line: string): void => void writeSync(1, `${line}\n`);

/** A part of all that is earned goes to the owner of a site. The same messages at each start, which change nothing again. */
const owner = signerOf("owner");
const page = "https://news.example";
const terms = { ...HEAD, owner: owner.key, page, share: 666_667, state: "open", at: START } as const;
await scene.books.sites.register(await verifiedMessage(siteMessage, terms, [owner]));
const part = {
  ...HEAD,
  account: scene.provider.key,
  payee: owner.key,
  ppm: ownersPpm(terms.share),
  sweep: false,
  site: siteId(owner.key, page),
  at: START,
};
await scene.books.sites.assign(await verifiedMessage(assignMessage, part, [scene.provider]));

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
