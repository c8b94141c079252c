import type { Graph, NodeId, Plan } from "../../plan/plan.ts";
import type { RunEvent } from "../../plan/runner-ports.ts";
import type { ValueType } from "../../plan/value-type.ts";
import type { Cid } from "../../protocol/cid.ts";
import { openEnvelope } from "../../protocol/envelope.ts";
import { FailureError } from "../../protocol/failure.ts";
import { errorView, errorViewJson } from "../../protocol/relay-json.ts";
import { stepMessage } from "../../protocol/messages/run.ts";
import { decodeUtf8 } from "../../protocol/text.ts";
import { elementLine, resultType } from "./call-answer.ts";
import type { Call } from "./call-desk.ts";

/** Which steps make the elements of a list that is a plan's result. */
interface Elements {
  readonly type: ValueType;
  /** Place of a step's value in the list, as far as it is known before the end. */
  placeOf(node: NodeId, iteration: string, seen: number): number | undefined;
}

function nodeOf(graph: Graph): NodeId | undefined {
  return graph.result.from === "node" ? graph.result.node : undefined;
}

/** @returns undefined for results that do not come bit by bit */
function elementsOf(plan: Plan): Elements | undefined {
  const type = resultType(plan);
  const id = nodeOf(plan.graph);
  const node = id === undefined ? undefined : plan.graph.nodes[id];
  if (type.type !== "list" || node === undefined) return undefined;
  if (node.kind === "map") {
    const inner = nodeOf(node.graph);
    return {
      type: type.of,
      placeOf: (step, iteration) =>
        step === inner && /^\d+$/u.test(iteration) ? Number(iteration) : undefined,
    };
  }
  if (node.kind !== "stream") return undefined;
  const sources = new Set(node.of.flatMap((source) => (source.from === "node" ? [source.node] : [])));
  return {
    type: type.of,
    placeOf: (step, iteration, seen) => (sources.has(step) && iteration === "" ? seen : undefined),
  };
}

/** The value of a step that is done. */
function valueOf(event: RunEvent): Cid | undefined {
  if (event.kind !== "ended" || event.status !== "done") return undefined;
  return openEnvelope(stepMessage, event.envelope).body.result;
}

/** A failure as the last line of an answer that has begun. */
function failureLine(error: unknown): string {
  const failure =
    error instanceof FailureError
      ? error
      : new FailureError("relay-fault", "the relay failed while running it");
  return JSON.stringify({ error: errorViewJson.write(errorView(failure.toFailure())) });
}

/**
 * The elements of a list as lines of JSON, in order, each as soon as it and those before it are there. Where the result is no list, it is
 * one line. A failure on the way is a line of its own: {"error":…}.
 */
export async function* elementLines(
  { plan, run, result }: Call,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const elements = elementsOf(plan);
  const cids = new Map<number, Cid>();
  let told = 0;
  try {
    if (elements !== undefined) {
      for await (const event of run.events) {
        if (event.kind !== "ended") continue;
        const place = elements.placeOf(event.node, event.iteration, cids.size);
        const cid = valueOf(event);
        if (place === undefined || cid === undefined || cids.has(place)) continue;
        cids.set(place, cid);
        for (let next = cids.get(told); next !== undefined; next = cids.get(told)) {
          // oxlint-disable-next-line no-await-in-loop -- one after the other, in order
          const bytes = await run.value(next, signal);
          yield `${elementLine(elements.type, bytes)}\n`;
          told += 1;
        }
      }
    }
    const type = resultType(plan);
    const bytes = await result;
    if (type.type !== "list") yield `${elementLine(type, bytes)}\n`;
    else {
      const list: unknown = JSON.parse(decodeUtf8(bytes));
      for (const element of Array.isArray(list) ? list.slice(told) : []) yield `${JSON.stringify(element)}\n`;
    }
  } catch (error) {
    yield `${failureLine(error)}\n`;
  }
}

function eventText(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** A run as server-sent events: `step` for each step that ends, then `result` (JSON, or base64 of what is none) or `error`. */
export async function* runEventTexts({ plan, run, result }: Call): AsyncGenerator<string> {
  yield eventText("run", { run: run.run });
  try {
    for await (const event of run.events) {
      if (event.kind !== "ended") continue;
      const { node, iteration, status, elapsedMs, outputBytes, fuel } = event;
      yield eventText("step", { node, iteration, status, elapsedMs, outputBytes, fuel: `${fuel}` });
    }
    yield `event: result\ndata: ${elementLine(resultType(plan), await result)}\n\n`;
  } catch (error) {
    yield `event: error\ndata: ${failureLine(error)}\n\n`;
  }
}
