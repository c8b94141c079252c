import { EXIT } from "./plain-error.ts";
import { runTabmesh } from "./program.ts";

// Whoever reads our output may stop early, as `head` does.
process.stdout.on("error", () => process.exit(EXIT.failed));

const exit = await runTabmesh(process.argv.slice(2));
// Connections that are closing by themselves are not waited for.
process.exit(exit);
