import type { CallToolResult } from "@modelcontextprotocol/sdk/types.js";
import { explain, explanationJson, explanationText } from "../explain.ts";

/** What a tool answers: text for whoever reads, the same as data. */

export function answer(text: string, data: Readonly<Record<string, unknown>>): CallToolResult {
  return { content: [{ type: "text", text }], structuredContent: { ...data } };
}

/** A tool that failed says what happened, why and what to do, as the command does. */
export function failed(error: unknown): CallToolResult {
  const explanation = explain(error);
  return {
    content: [{ type: "text", text: explanationText(explanation).replace(/^tabmesh: /u, "") }],
    structuredContent: { ...explanationJson(explanation) },
    isError: true,
  };
}

/** Does what a tool does; whatever it throws becomes its answer. */
export async function answered(work: () => Promise<CallToolResult>): Promise<CallToolResult> {
  try {
    return await work();
  } catch (error) {
    return failed(error);
  }
}

/** Bytes as JSON has them: text where they are UTF-8. */
export function bytesJson(bytes: Uint8Array): { readonly text: string } | { readonly base64: string } {
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch {
    return { base64: Buffer.from(bytes).toString("base64") };
  }
}
