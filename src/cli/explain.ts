import { failureKind } from "../protocol/failure-code.ts";
import { whoPays } from "../protocol/failure-words.ts";
import { FailureError } from "../protocol/failure.ts";
import { printable } from "./chat/printable.ts";
import { ConfigError } from "../relay/settings.ts";
import { EXIT, type Exit, PlainError } from "./plain-error.ts";

/** An error as a person reads it, and as a script does. */
export interface Explanation {
  readonly what: string;
  readonly why?: string;
  /** Of a failure: who pays for it. */
  readonly pays?: string;
  readonly advice?: string;
  readonly exit: Exit;
  /** Of a failure that has one. */
  readonly code?: number;
  readonly name?: string;
}

/** What the system's error codes mean to a person. */
const SYSTEM: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder",
  EACCES: "you may not access it",
  EPERM: "the system does not permit it",
  EISDIR: "it is a folder",
  ENOTDIR: "part of its path is not a folder",
  EEXIST: "it exists already",
  ENOSPC: "the disk is full",
  EROFS: "the disk cannot be written to",
  EMFILE: "too many files are open",
};

function systemCode(error: Error): string | undefined {
  return "code" in error && typeof error.code === "string" ? error.code : undefined;
}

function systemPath(error: Error): string | undefined {
  return "path" in error && typeof error.path === "string" ? error.path : undefined;
}

function explainSystem(error: Error): Explanation | undefined {
  const code = systemCode(error);
  if (code === "EADDRINUSE") {
    return {
      what: "The port is in use.",
      why: error.message,
      advice: "Stop what listens there, or choose another with --port.",
      exit: EXIT.failed,
    };
  }
  const meaning = code === undefined ? undefined : SYSTEM[code];
  const path = systemPath(error);
  if (meaning === undefined || path === undefined) return undefined;
  return { what: `${path} cannot be used: ${meaning}.`, exit: EXIT.failed };
}

/** Turns anything thrown into words. What nobody foresaw keeps its own message. */
export function explain(error: unknown): Explanation {
  if (error instanceof PlainError) {
    const { what, why, advice, exit } = error;
    return {
      what,
      exit,
      ...(why === undefined ? {} : { why }),
      ...(advice === undefined ? {} : { advice }),
    };
  }
  if (error instanceof FailureError) return explainFailure(error);
  if (error instanceof ConfigError) {
    return {
      what: error.problems.join("\n"),
      advice: "See `tabmesh relay --help` for what each setting takes.",
      exit: EXIT.usage,
    };
  }
  if (!(error instanceof Error)) return { what: String(error), exit: EXIT.failed };
  const { cause } = error;
  return (
    explainSystem(error) ?? {
      what: error.message,
      exit: EXIT.failed,
      ...(cause instanceof Error ? { why: cause.message } : {}),
    }
  );
}

function explainFailure(error: FailureError): Explanation {
  const { code, name, means, advice } = failureKind(error.code);
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : "";
  const pays = whoPays(error.code);
  return { what: means, why: `${error.detail}${cause}`, pays, advice, exit: EXIT.failed, code, name };
}

/** Lines for standard error. The code stands at the end of the first, for whoever searches for it. */
export function explanationText(explanation: Explanation): string {
  const { what, why, pays, advice, code, name } = explanation;
  const first = code === undefined ? what : `${what} [${code} ${name ?? ""}]`;
  const lines = [`tabmesh: ${first}`];
  if (why !== undefined && why !== "") lines.push(`  why:  ${why}`);
  if (pays !== undefined) lines.push(`  pays: ${pays}`);
  if (advice !== undefined) lines.push(`  do:   ${advice}`);
  // Details of failures come from other machines.
  return printable(`${lines.join("\n")}\n`);
}

/** The same as an object for --json. */
export function explanationJson({ exit, ...told }: Explanation): Readonly<Record<string, unknown>> {
  return { ok: false, exit, error: told };
}
