import { describe, expect, it } from "vitest";
import { JOB_DEFAULTS } from "../../sdk/make-job.ts";
import { fuelLimitOf, type JobSettings, optionsOf, PLAIN_SETTINGS } from "./jobs-settings.ts";

const MEASURED = { samples: 2, failed: 0, fuel: 3_000_000_000n, mostFuel: 2_000_000_000n, outputBytes: 10 };

function options(changes: Partial<JobSettings>): ReturnType<typeof optionsOf> {
  return optionsOf({ ...PLAIN_SETTINGS, ...changes }, undefined);
}

describe("settings of a job", () => {
  it("left empty they leave everything to the SDK, with its fuel limit", () => {
    expect(options({})).toEqual({ fuel: JOB_DEFAULTS.fuel, accept: "signed", disclosure: "relay" });
  });

  it("say what the fields say, in the SDK's units", () => {
    const given = options({
      args: "-t\n{input}\n",
      inputFile: "/in.txt",
      outputFile: " out.wav ",
      entry: "speak",
      raw: true,
      fuel: "0.5",
      memory: "64",
      deadline: "1.5",
      parallel: "8",
      replicas: "3",
      cap: "0.25",
      accept: "audited",
      disclosure: "peers",
    });
    expect(given).toEqual({
      args: ["-t", "{input}"],
      inputFile: "in.txt",
      outputFile: "out.wav",
      entry: "raw+speak",
      fuel: 500_000_000n,
      memoryBytes: 64 * 2 ** 20,
      deadlineMs: 1_500,
      parallel: 8,
      replicas: 3,
      cap: 250_000n,
      accept: "audited",
      disclosure: "peers",
    });
  });

  it("the fuel limit follows from the input that took most, unless the person names one", () => {
    expect(fuelLimitOf(PLAIN_SETTINGS, MEASURED)).toBe(16_000_000_000n);
    expect(fuelLimitOf({ fuel: "3" }, MEASURED)).toBe(3_000_000_000n);
    expect(fuelLimitOf(PLAIN_SETTINGS, { ...MEASURED, mostFuel: 5n })).toBe(1_000_000_000n);
  });

  it.each([
    ["memory", "lots", "Memory"],
    ["memory", "1.5", "Memory"],
    ["memory", "2048", "Memory"],
    ["deadline", "0", "Longest time"],
    ["parallel", "0", "Tabs at a time"],
    ["replicas", "6", "Tabs for each input"],
    ["fuel", "-1", "Fuel"],
    ["cap", "0", "Most that is spent"],
  ] as const)("%s of %s is refused by name", (field, value, name) => {
    expect(() => options({ [field]: value })).toThrow(name);
  });
});
