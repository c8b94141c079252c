import { execFile } from "node:child_process";
import { cpus, totalmem, type as systemType, release } from "node:os";
import { promisify } from "node:util";
import { findChromium } from "../src/cli/browser/find-chromium.ts";

/** On what numbers were measured: they mean nothing without it. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly versions: Readonly<Record<string, string>>;
}

async function browserVersion(): Promise<string | undefined> {
  const path = findChromium(process.env);
  if (path === undefined) return undefined;
  try {
    const { stdout } = await promisify(execFile)(path, ["--version"], { timeout: 20_000 });
    return /\d+(?:\.\d+)+/u.exec(stdout)?.[0];
  } catch {
    return undefined;
  }
}

export async function describeMachine(): Promise<Machine> {
  const all = cpus();
  const chromium = await browserVersion();
  return {
    cpu: all[0]?.model ?? "unknown",
    cores: all.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${systemType()} ${release()}`,
    versions: {
      node: process.versions.node,
      v8: process.versions.v8,
      ...(chromium === undefined ? {} : { chromium }),
    },
  };
}
