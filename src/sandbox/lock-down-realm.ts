/**
 * What a sandbox thread keeps of its global scope: the language, hashing, text coding, and the port to its owner.
 * Everything else that the engine offers a worker (network, storage, further threads, imports by name, devices) is
 * removed, also what engines will add later. Not the wall itself: functions reach only what their import object holds.
 * This stands behind it, should an engine's own wall break, as the page's content security policy does.
 */
// oxfmt-ignore
const KEPT: ReadonlySet<string> = new Set([
  // the language
  "Object", "Function", "Array", "Number", "parseFloat", "parseInt", "Infinity", "NaN", "undefined", "Boolean",
  "String", "Symbol", "Promise", "RegExp", "Error", "AggregateError", "EvalError", "RangeError", "ReferenceError",
  "SyntaxError", "TypeError", "URIError", "InternalError", "JSON", "Math", "Intl", "ArrayBuffer", "Atomics", "Uint8Array", "Int8Array",
  "Uint16Array", "Int16Array", "Uint32Array", "Int32Array", "Float16Array", "Float32Array", "Float64Array", "Uint8ClampedArray",
  "BigUint64Array", "BigInt64Array", "DataView", "Map", "BigInt", "Set", "Iterator", "WeakMap", "WeakSet", "WeakRef",
  "Proxy", "Reflect", "FinalizationRegistry", "globalThis", "isFinite", "isNaN", "constructor",
  // what the sandbox itself uses
  "WebAssembly", "crypto", "Crypto", "SubtleCrypto", "TextEncoder", "TextDecoder", "structuredClone", "queueMicrotask",
  "self", "postMessage", "addEventListener", "removeEventListener", "dispatchEvent", "onmessage", "onmessageerror",
  "onerror", "MessageChannel", "MessagePort", "MessageEvent", "Event", "EventTarget", "ErrorEvent", "DOMException", "close",
]);

/**
 * Removes from `scope` and its prototypes every property that is not kept. Call it first thing in the thread, before
 * any function is loaded.
 *
 * @returns names that could not be removed, for a test: in Chromium two numbers, TEMPORARY and PERSISTENT
 */
export function lockDownRealm(scope: object): readonly string[] {
  const left = new Set<string>();
  for (let holder: object | null = scope; holder !== null && holder !== Object.prototype;) {
    for (const name of Object.getOwnPropertyNames(holder))
      if (!KEPT.has(name) && !remove(holder, name)) left.add(name);
    holder = Reflect.getPrototypeOf(holder);
  }
  return [...left];
}

function remove(holder: object, name: string): boolean {
  if (Reflect.deleteProperty(holder, name)) return true;
  return Reflect.defineProperty(holder, name, { value: undefined, writable: false });
}
