// oxlint-disable-next-line import/default -- made by the bundler, see bundled.d.ts
import script from "../../../workers/sandbox.worker.ts?worker&url";
import type { SandboxFiles } from "../../provider/thread-host.ts";

/** What threads for functions are made from. The bundler puts the script into one file. */
export const SANDBOX_FILES: SandboxFiles = { frame: "/sandbox.html", script };
