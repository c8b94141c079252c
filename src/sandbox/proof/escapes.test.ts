import { createSandbox } from "../sandbox.ts";
import { escapesContract } from "./escapes-suite.contract.ts";

escapesContract("the calling thread", async () => createSandbox());
