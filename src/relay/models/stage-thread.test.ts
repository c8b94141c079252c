import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { describeBits, oddModel, someTokens } from "../../inference/backend.contract.ts";
import type { Line } from "../../inference/stages/line.ts";
import { createStagedBackend } from "../../inference/stages/staged-backend.ts";
import { failureCode } from "../../protocol/failure-code.ts";
import { startStageThread } from "./stage-thread.ts";

describeBits(
  "2 stages in threads of Node",
  createStagedBackend({ stages: 2, rows: 7, start: startStageThread }),
);

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

const DEEP = oddModel({ name: "", shape: { layers: 3, context: 4_000 } });

describe("a stage in a thread of Node", () => {
  it("that is sent what no stage is sent dies, which fails what is under way and all that follows", async () => {
    const lines: Line[] = [];
    const backend = createStagedBackend({
      stages: 3,
      start() {
        const line = startStageThread();
        lines.push(line);
        return line;
      },
    });
    const decoder = await backend.open(DEEP);
    const under = decoder.forward(someTokens(DEEP));
    lines[1]?.post("nonsense");
    const lost = { code: failureCode("worker-lost"), detail: expect.stringContaining("no request") };
    await expect(under).rejects.toMatchObject(lost);
    await expect(decoder.forward([0])).rejects.toMatchObject(lost);
    expect(decoder.positions).toBe(0);
  });

  it("ends with the decoder, also in the middle of a batch: the process ends by itself", async () => {
    const script = `
      import { oddModel, someTokens } from "./src/inference/backend.contract.ts";
      import { createStagedBackend } from "./src/inference/stages/staged-backend.ts";
      import { startStageThread } from "./src/relay/models/stage-thread.ts";
      const model = oddModel({ name: "", shape: { layers: 3, context: 4_000 } });
      const decoder = await createStagedBackend({ stages: 2, start: startStageThread }).open(model);
      const under = decoder.forward(someTokens(model)).catch(({ message }) => console.log(message));
      decoder.close();
      await under;`;
    const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", script], { cwd: ROOT });
    expect(stdout).toBe("the decoder is closed\n");
  });
});
