import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { failureCode } from "../../protocol/failure-code.ts";
import { createModelHost } from "./create-model-host.ts";
import { encoderModel, runWhole, taskOf, writerModel } from "./models.contract.ts";
import type { BackendChoice, ModelHost, OpenOutcome } from "./model-host.ts";

const writer = await writerModel();
const devices: GPUDevice[] = [];
// oxlint-disable-next-line typescript/unbound-method -- called with the adapter below
const { requestDevice } = GPUAdapter.prototype;
let host: ModelHost;

beforeEach(() => {
  devices.length = 0;
  // The devices are real; they are only noted, to be lost as a driver would lose them.
  GPUAdapter.prototype.requestDevice = async function noted(...options) {
    const device = await requestDevice.apply(this, options);
    devices.push(device);
    return device;
  };
  host = createModelHost();
});
afterEach(async () => {
  GPUAdapter.prototype.requestDevice = requestDevice;
  await host.close();
});

function open(backend: BackendChoice, model: typeof writer = writer): Promise<OpenOutcome> {
  return host.open(model.cid, model.file, { backend }, () => undefined);
}

const TASK = taskOf({ maxTokens: 60, temperatureMilli: 900 });

describe("models on a graphics card", () => {
  test("write the processor's bits", async () => {
    expect(await open("wasm")).toMatchObject({ kind: "open" });
    const there = await runWhole(host, TASK);
    expect(await open("webgpu")).toMatchObject({ kind: "open", backend: "webgpu" });
    const here = await runWhole(host, TASK);
    expect(here.tokens).toHaveLength(60);
    expect({ links: here.links, text: here.text, fuel: here.fuel }).toEqual({
      links: there.links,
      text: there.text,
      fuel: there.fuel,
    });
  }, 120_000);

  test("lose their task with code 10014 when the card is lost, and the next one has it again", async () => {
    expect(await open("webgpu")).toMatchObject({ kind: "open", backend: "webgpu" });
    const result = await host.run(TASK, () => {
      devices.at(-1)?.destroy();
      return Promise.resolve();
    });
    expect(result).toMatchObject({ kind: "failed", code: failureCode("gpu-lost"), fuel: 0n });
    expect(result.kind === "failed" && result.code).toBe(10_014);
    expect(await host.run(TASK, () => Promise.resolve())).toMatchObject({
      code: failureCode("function-unavailable"),
    });
    expect(await open("webgpu")).toMatchObject({ kind: "open", backend: "webgpu" });
    expect((await runWhole(host, TASK)).tokens).toHaveLength(60);
    expect(devices).toHaveLength(2);
  }, 120_000);

  test("are asked no more of a card that is lost again and again", async () => {
    for (let time = 0; time < 3; time += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one loss after the other
      expect(await open("webgpu")).toMatchObject({ kind: "open" });
      // oxlint-disable-next-line no-await-in-loop
      await host.run(TASK, () => {
        devices.at(-1)?.destroy();
        return Promise.resolve();
      });
    }
    expect(await open("webgpu")).toMatchObject({ kind: "failed", code: failureCode("gpu-lost") });
    expect(devices).toHaveLength(3);
  }, 120_000);

  test("stay on the processor where that is faster, and say why", async () => {
    const found = await open("auto");
    expect(found).toMatchObject({ kind: "open" });
    if (found.kind === "open" && found.backend !== "webgpu") expect(found.reason).toMatch(/ms/u);
    // So large that both are tried.
    const shape = { width: 512, inner: 1_536, layers: 6, heads: 8, keyHeads: 8, headSize: 64 };
    const large = await open("auto", await writerModel({ shape }));
    if (large.kind !== "open") throw new Error(large.detail);
    const why = /^it takes .* ms for what the processor does in .* ms$/u;
    if (large.backend === "wasm") expect(large.reason).toMatch(why);
    else expect(large.reason).toBeUndefined();
    const encoder = await encoderModel();
    expect(await open("auto", encoder)).toMatchObject({ kind: "open" });
  }, 120_000);
});
