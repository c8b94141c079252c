/**
 * A component in AssemblyScript without generated bindings. AssemblyScript's strings are UTF-16, so the component is
 * built with that encoding and text needs no translation: it comes as the address and the length in 16-bit units.
 */

/** Every task gets a fresh instance, so nothing is ever given back. What heap.alloc gives is aligned to 16 bytes. */
export function cabi_realloc(_old: usize, _oldSize: usize, _align: usize, size: usize): usize {
  return heap.alloc(size);
}

function isSpace(unit: u32): bool {
  return unit == 0x20 || (unit >= 0x09 && unit <= 0x0d);
}

/** @returns the address of a record `summary`: words, longest (address, units), lengths (address, items) */
export function summarise(text: usize, units: usize): usize {
  const lengths = heap.alloc((units / 2 + 1) * 4);
  const result = heap.alloc(20);
  memory.fill(result, 0, 20);
  let words: u32 = 0;
  let most: u32 = 0;
  let i: usize = 0;
  while (i < units) {
    if (isSpace(load<u16>(text + 2 * i))) {
      i += 1;
      continue;
    }
    const start = i;
    let points: u32 = 0;
    for (; i < units; i += 1) {
      const unit: u32 = load<u16>(text + 2 * i);
      if (isSpace(unit)) break;
      // The second half of a surrogate pair belongs to the code point before.
      if ((unit & 0xfc00) != 0xdc00) points += 1;
    }
    store<u32>(lengths + 4 * words, points);
    words += 1;
    if (points <= most) continue;
    most = points;
    store<u32>(result + 4, <u32>(text + 2 * start));
    store<u32>(result + 8, <u32>(i - start));
  }
  store<u32>(result, words);
  store<u32>(result + 12, <u32>lengths);
  store<u32>(result + 16, words);
  return result;
}
