/**
 * Bounds of components. Those marked [profile] decide outcomes, so every machine must use the same number.
 * They stand far above what compilers emit and far below what a machine that decodes would notice.
 */

/** [profile] Components within components. Tools that compose components nest two or three deep. */
export const MAX_COMPONENT_DEPTH = 16;

/** [profile] Types declared within types (instance types within component types and so on). */
export const MAX_TYPE_NESTING = 32;

/** [profile] Definitions and declarations of a whole component; a world with all of WASI has about 1,500. */
export const MAX_DEFINITIONS = 100_000;

/** [profile] Definitions looked at while a component is linked: one that is instantiated twice counts twice. */
export const MAX_LINK_STEPS = 200_000;

/** [profile] Core modules of a component. Tools emit three to ten. */
export const MAX_CORE_MODULES = 256;

/** [profile] Core instances of a running component. */
export const MAX_CORE_INSTANCES = 256;

/** [profile] Arguments of an instantiation, exports of an inline instance, fields, cases and parameters each. */
export const MAX_ITEMS = 10_000;

/** [profile] How deep types may be built of other types; it bounds the recursion of everything that follows a type. */
export const MAX_TYPE_DEPTH = 64;

/** [profile] Bytes of one value of a type as it lies in memory: the bound of the Canonical ABI. */
export const MAX_TYPE_BYTES: number = 2 ** 28 - 1;

/** [profile] Bytes of one string or list in memory: the bound of the Canonical ABI. */
export const MAX_LIST_BYTES: number = 2 ** 28 - 1;

/** [profile] Values passed flat: the numbers of the Canonical ABI. Beyond them they go through memory. */
export const MAX_FLAT_PARAMETERS = 16;
export const MAX_FLAT_RESULTS = 1;

/** [profile] Handles that one component instance may hold at a time. */
export const MAX_HANDLES = 65_536;

/** [profile] What one value weighs besides its bytes, when a call's values are held against the memory limit. */
export const VALUE_BYTES = 16;

/** [profile] The same for a value that is made of others. */
export const COMPOUND_BYTES = 64;

/** [profile] Words of stack that a crossing between component and host takes: frames of the host are larger. */
export const CROSSING_WORDS = 512;

/** [profile] Brackets within brackets in the arguments' JSON: a type MAX_TYPE_DEPTH deep needs two for each. */
export const MAX_JSON_DEPTH = 160;

/** Characters of a printed type, as errors and comparisons show it. */
export const MAX_PRINTED_TYPE = 32_768;
