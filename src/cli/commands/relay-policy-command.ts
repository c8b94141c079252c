import type { Command } from "commander";
import { addDataFlags, type DataFlags, say } from "./relay-data.ts";

/** The relay's code is loaded by the commands that need it. */

/** Prints the numbers by which a relay audits. */
export function addPolicyCommand(relay: Command): void {
  addDataFlags(relay.command("policy"))
    .description("show the numbers of audits in force, and what each is for")
    .addHelpText("after", "\nExample:\n  npx tabmesh relay policy --data-dir .tabmesh/relay")
    .action(async (flags: DataFlags) => {
      const [{ policyAt }, { POLICY_NUMBERS }] = await Promise.all([
        import("../../relay/operate.ts"),
        import("../../relay/audits/policy-numbers.ts"),
      ]);
      const audit = await policyAt(flags.dataDir);
      if (audit === undefined) {
        await say(flags, null, "This relay audits nothing: receipts are paid as both parties signed them.");
        return;
      }
      const rows = POLICY_NUMBERS.map(({ name, shown, means }) => ({ name, shown: shown(audit), means }));
      const wide = Math.max(...rows.map(({ name }) => name.length));
      const long = Math.max(...rows.map(({ shown }) => shown.length));
      const lines = rows.map(
        ({ name, shown, means }) => `${name.padEnd(wide)}  ${shown.padEnd(long)}  ${means}`,
      );
      const numbers = Object.fromEntries(POLICY_NUMBERS.map(({ name }) => [name, Number(audit[name])]));
      await say(flags, numbers, lines.join("\n"));
    });
}
