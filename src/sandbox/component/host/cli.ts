import { ExitSignal } from "../../wasi/program.ts";
import type { HostResource } from "../types/resource-type.ts";
import { asCase, asNumber, NONE, Resource, type Value } from "../values/value.ts";
import type { HostContext } from "./host-function.ts";
import type { HostInterface } from "./host-interface.ts";
import {
  host,
  type HostEntry,
  hostInterfaceOf,
  hostResource,
  list,
  option,
  own,
  result,
  tuple,
} from "./signatures.ts";
import { INPUT_STREAM, InputStream, OUTPUT_STREAM, OutputStream } from "./streams.ts";

const DECODER = new TextDecoder();

/** Preview 1 has its strings end in NUL. */
function textOf(cString: Uint8Array): string {
  return DECODER.decode(cString.subarray(0, -1));
}

function stringsOf(context: HostContext, strings: readonly Uint8Array[]): readonly string[] {
  context.chargeBytes(strings.reduce((sum, each) => sum + each.length, 0));
  return strings.map(textOf);
}

function splitVariable(text: string): Value {
  const at = text.indexOf("=");
  return [text.slice(0, at), text.slice(at + 1)];
}

export const ENVIRONMENT: HostInterface = hostInterfaceOf(
  {},
  {
    "get-environment": host([], list(tuple("string", "string")), (context) =>
      stringsOf(context, context.program.env).map(splitVariable),
    ),
    "get-arguments": host([], list("string"), (context) => stringsOf(context, context.program.args)),
    "initial-cwd": host([], option("string"), () => NONE),
  },
);

export const EXIT: HostInterface = hostInterfaceOf(
  {},
  {
    exit: host([result("_", "_")], "", (_context, [status]) => {
      throw new ExitSignal(asCase(status).tag);
    }),
    "exit-with-code": host(["u8"], "", (_context, [code]) => {
      throw new ExitSignal(asNumber(code));
    }),
  },
);

/** Each call gives a stream of its own; all of them read on in the same bytes. */
function standardInput({ program }: HostContext): InputStream {
  const descriptor = program.descriptors.get(0);
  if (descriptor.kind !== "input") return InputStream.ofBytes(new Uint8Array(0));
  return new InputStream((_offset, length) => {
    const bytes = descriptor.bytes.subarray(descriptor.offset, descriptor.offset + length);
    descriptor.offset += bytes.length;
    return bytes;
  }, 0);
}

function outputEntry(stream: (context: HostContext) => OutputStream): HostEntry {
  return host([], own(OUTPUT_STREAM), (context) => new Resource(OUTPUT_STREAM, stream(context)));
}

export const STDIN: HostInterface = hostInterfaceOf(
  {},
  {
    "get-stdin": host([], own(INPUT_STREAM), (context) => new Resource(INPUT_STREAM, standardInput(context))),
  },
);

export const STDOUT: HostInterface = hostInterfaceOf(
  {},
  { "get-stdout": outputEntry(({ stdout }) => OutputStream.ofSink(stdout)) },
);

export const STDERR: HostInterface = hostInterfaceOf(
  {},
  { "get-stderr": outputEntry(({ program }) => OutputStream.ofSink(program.stderr)) },
);

export const TERMINAL_INPUT: HostResource = hostResource("wasi:cli/terminal-input/terminal-input");
export const TERMINAL_OUTPUT: HostResource = hostResource("wasi:cli/terminal-output/terminal-output");

/** There is no terminal. */
function noTerminal(name: string, resource: typeof TERMINAL_INPUT): HostInterface {
  return hostInterfaceOf({}, { [name]: host([], option(own(resource)), () => NONE) });
}

export const TERMINALS: Readonly<Record<string, HostInterface>> = {
  "wasi:cli/terminal-input": hostInterfaceOf({ "terminal-input": TERMINAL_INPUT }, {}),
  "wasi:cli/terminal-output": hostInterfaceOf({ "terminal-output": TERMINAL_OUTPUT }, {}),
  "wasi:cli/terminal-stdin": noTerminal("get-terminal-stdin", TERMINAL_INPUT),
  "wasi:cli/terminal-stdout": noTerminal("get-terminal-stdout", TERMINAL_OUTPUT),
  "wasi:cli/terminal-stderr": noTerminal("get-terminal-stderr", TERMINAL_OUTPUT),
};
