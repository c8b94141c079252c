/** Bounds of plans: a plan comes from a stranger, and whoever coordinates it holds all of it in memory. */

/** Version of the format of plans. */
export const PLAN_VERSION = 1;

/** One encoded plan, bytes: 4,000 nodes with their limits and names. More is refused before decoding. */
export const MAX_PLAN_BYTES: number = 1024 * 1024;

/** One plan as text, bytes: what MAX_PLAN_BYTES takes with its names spelled out and indented. */
export const MAX_PLAN_TEXT_BYTES: number = 8 * 1024 * 1024;

/** Nodes of a plan, inner graphs included: each is a line on a screen and an entry in every state. */
export const MAX_PLAN_NODES = 4_096;

/** Graphs inside each other, the plan's own included: a map of a loop of branches has four. More is refused. */
export const MAX_GRAPH_DEPTH = 8;

/** Operators and calls inside each other in one expression. Evaluation and printing recurse that deep. */
export const MAX_EXPRESSION_DEPTH = 64;

/** Lists, records and optionals inside each other in one type. */
export const MAX_TYPE_DEPTH = 12;

/** Names and places inside each other in an encoded plan: six for each graph, three for each part of an expression, two for each of a type. */
export const MAX_PLAN_DEPTH: number = 6 * MAX_GRAPH_DEPTH + 3 * MAX_EXPRESSION_DEPTH + 2 * MAX_TYPE_DEPTH;

/** Lists and objects inside each other in JSON that an expression reads: readers of all languages take that. */
export { MAX_JSON_DEPTH } from "../protocol/canonical-json.ts";

/** Parameters of a graph, entries of a `with`, fields of a record. */
export const MAX_NAMES = 64;

/** A name of a node, a parameter or a field, bytes. The step message has room for that. */
export const MAX_NAME_BYTES = 64;

/** A title of a node, bytes: a line on a screen. */
export const MAX_TITLE_BYTES = 200;

/** A constant of a plan, JSON text, bytes: what is larger comes in as a parameter. */
export const MAX_CONSTANT_BYTES: number = 16 * 1024;

/**
 * Elements of one map or reduce, turns of one loop, values of one stream. Five digits and a dot for each graph: the deepest
 * iteration key fits the 128 bytes of a step.
 */
export const MAX_ITERATIONS = 65_536;

/** Steps under way at a time in one map: more than that no mesh of tabs gives one run. */
export const MAX_PARALLEL = 1_024;

/** Attempts of a retry, alternatives of a select, peers of a quorum. */
export const MAX_ATTEMPTS = 64;

/** Tools of an agent, and its steps. */
export const MAX_AGENT_TOOLS = 32;
export const MAX_AGENT_STEPS = 256;

/** A timeout, delay or wait, milliseconds: a run ends within a day, as jobs do. */
export const MAX_WAIT_MS: number = 24 * 60 * 60 * 1000;

/** Origins, methods, chains or secrets that one capability names. */
export const MAX_CAPABILITY_NAMES = 32;

/** Program arguments of a function. */
export const MAX_CALL_ARGS = 64;

/**
 * Work of one evaluation: one unit for each part of the expression and for each character, byte or element that is read or
 * made. A second in a slow tab at the most, and far less for most functions; more fails with `expression-failed`.
 */
export const MAX_EXPRESSION_WORK = 20_000_000;
