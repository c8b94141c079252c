import { createModelHost } from "../../inference/host/create-model-host.ts";
import type { HostPart, HostResult, HostTask } from "../../inference/host/model-host.ts";
import type { ModelCall, ModelReply } from "./model-call.ts";

/** One model is open at a time, as in a tab. */
const host = createModelHost();
let open: string | undefined;

function partReply(from: number, part: HostPart, end: boolean): ModelReply {
  const { to, output, outputSha256, fuel, stateHash } = part;
  return { kind: "part", from, to, end, output, outputSha256, fuel, stateHash };
}

/** Runs the task up to the part that is asked for, cut where that one begins and ends. */
async function runUpTo(call: ModelCall): Promise<ModelReply> {
  const { entry, input, fuelLimit, outputBytes, from, to } = call;
  const task: HostTask = { entry, input, fuelLimit, outputBytes, cuts: [from, to] };
  let told = 0;
  let wanted: ModelReply | undefined;
  const result: HostResult = await host.run(task, (part) => {
    if (told >= from && to > from && part.to >= to) {
      wanted = partReply(told, part, false);
      // What comes after is not asked for.
      void host.stop();
    }
    told = part.to;
    return Promise.resolve();
  });
  if (wanted !== undefined) return wanted;
  if (result.kind === "done") return partReply(told, result.part, true);
  return { ...result, from: told, isOpening: false };
}

/** @throws whatever the engine throws that it has no name for */
export async function answerModelCall(call: ModelCall): Promise<ModelReply> {
  const { cid, file, memoryBytes } = call;
  if (open !== cid) {
    if (file === undefined) return { kind: "file-wanted" };
    open = undefined;
    const opened = await host.open(
      cid,
      new Blob([file]),
      { backend: "wasm", ...(memoryBytes === undefined ? {} : { memoryBytes }) },
      () => undefined,
    );
    if (opened.kind === "failed") return { ...opened, fuel: 0n, from: 0, isOpening: true };
    open = cid;
  }
  return runUpTo(call);
}
