#!/usr/bin/env node
/**
 * Starts `tabmesh`. The command is TypeScript that needs Node 24; whoever runs an older one gets the Node that was
 * installed with this package. Plain JavaScript for any Node since 16.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import * as module from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Runs TypeScript without a flag, has node:sqlite. */
const LEAST_MAJOR = 24;
const FORWARDED = ["SIGINT", "SIGTERM", "SIGHUP"];

if (Number.parseInt(process.versions.node, 10) >= LEAST_MAJOR) {
  // What was compiled at the last start is not compiled again: half the time until a command does something.
  module.enableCompileCache();
  await import("./main.ts");
} else {
  const node = installedNode();
  if (node === undefined) {
    process.stderr.write(
      `tabmesh needs Node ${LEAST_MAJOR} or newer, and this is ${process.version}.\n` +
        "The one that comes with it is missing: run `npm install` without --omit and with install scripts allowed.\n",
    );
    process.exitCode = 2;
  } else {
    hand(node);
  }
}

/** @returns {string | undefined} */
function installedNode() {
  try {
    const folder = dirname(module.createRequire(import.meta.url).resolve("node/package.json"));
    const path = join(folder, "bin", process.platform === "win32" ? "node.exe" : "node");
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Hands everything over: arguments, streams, signals, and the way it ends.
 * @param {string} node
 */
function hand(node) {
  const child = spawn(node, [...process.execArgv, fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: "inherit",
  });
  for (const signal of FORWARDED) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    process.stderr.write(`tabmesh could not start ${node}: ${error.message}\n`);
    process.exitCode = 2;
  });
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
  });
}
