/**
 * Ranks passages by their likeness to a question and folds those that say the same: a function of bytes (ABI "bytes-1").
 *
 * Input: JSON {"passages": [text …], "query": [number …], "vectors": [[number …] …]}, one vector for each passage, all of one
 * length. Output: canonical JSON [{"again", "place", "score", "text"} …], best first: how many others say nearly the same, the
 * passage's place in the input, its cosine with the question in thousandths, and itself. Traps on anything else.
 */

/** Two passages whose vectors have this cosine say the same. */
const SAME: f64 = 0.85;

const QUOTE: u8 = 0x22;
const BACKSLASH: u8 = 0x5c;
const COMMA: u8 = 0x2c;
const COLON: u8 = 0x3a;
const OPEN_LIST: u8 = 0x5b;
const CLOSE_LIST: u8 = 0x5d;
const OPEN_RECORD: u8 = 0x7b;
const CLOSE_RECORD: u8 = 0x7d;
const MINUS: u8 = 0x2d;
const PLUS: u8 = 0x2b;
const DOT: u8 = 0x2e;
const ZERO: u8 = 0x30;
const NINE: u8 = 0x39;

let at: usize = 0;
let end: usize = 0;

export function tabmesh_alloc(size: i32): i32 {
  return size < 0 ? 0 : <i32>heap.alloc(<usize>size);
}

// Reading

function fail(): void {
  unreachable();
}

function peek(): u8 {
  while (at < end) {
    const byte = load<u8>(at);
    if (byte != 0x20 && byte != 0x0a && byte != 0x0d && byte != 0x09) return byte;
    at += 1;
  }
  return 0;
}

function isNext(byte: u8): bool {
  if (peek() != byte) return false;
  at += 1;
  return true;
}

function expect(byte: u8): void {
  if (!isNext(byte)) fail();
}

/** Goes over a text with its quotes. */
function skipText(): void {
  expect(QUOTE);
  while (at < end && load<u8>(at) != QUOTE) at += load<u8>(at) == BACKSLASH ? 2 : 1;
  at += 1;
  if (at > end) fail();
}

function isDigit(): bool {
  return at < end && load<u8>(at) >= ZERO && load<u8>(at) <= NINE;
}

function readNumber(): f64 {
  const sign: f64 = isNext(MINUS) ? -1 : 1;
  let value: f64 = 0;
  let power: i32 = 0;
  if (!isDigit()) fail();
  while (isDigit()) value = value * 10 + <f64>(load<u8>(at++) - ZERO);
  if (at < end && load<u8>(at) == DOT) {
    at += 1;
    while (isDigit()) {
      value = value * 10 + <f64>(load<u8>(at++) - ZERO);
      power -= 1;
    }
  }
  if (at < end && (load<u8>(at) | 0x20) == 0x65) {
    at += 1;
    const below = isNext(MINUS);
    if (!below) isNext(PLUS);
    let exponent: i32 = 0;
    while (isDigit()) exponent = exponent * 10 + <i32>(load<u8>(at++) - ZERO);
    power += below ? -exponent : exponent;
  }
  for (; power < 0; power += 1) value /= 10;
  for (; power > 0; power -= 1) value *= 10;
  return sign * value;
}

/** A vector of length 1, unless it is all zeros. */
function readVector(): StaticArray<f64> {
  const values = new Array<f64>();
  expect(OPEN_LIST);
  if (!isNext(CLOSE_LIST)) {
    do values.push(readNumber());
    while (isNext(COMMA));
    expect(CLOSE_LIST);
  }
  let squares: f64 = 0;
  for (let i = 0; i < values.length; i += 1) squares += values[i] * values[i];
  const length = squares > 0 ? sqrt(squares) : 1;
  const vector = new StaticArray<f64>(values.length);
  for (let i = 0; i < values.length; i += 1) vector[i] = values[i] / length;
  return vector;
}

/** Whether the name that stands here, with its quotes, is as long and begins as one of the three. */
function readName(): u8 {
  peek();
  const from = at;
  skipText();
  const size = at - from - 2;
  expect(COLON);
  const first = load<u8>(from + 1);
  if (first == 0x70 && size == 8) return first;
  if (first == 0x71 && size == 5) return first;
  if (first == 0x76 && size == 7) return first;
  fail();
  return 0;
}

// Computing

/** Of two vectors of length 1. */
function cosine(a: StaticArray<f64>, b: StaticArray<f64>): f64 {
  let sum: f64 = 0;
  for (let i = 0; i < a.length; i += 1) sum += a[i] * b[i];
  return sum;
}

// Writing

let out: usize = 0;
let written: usize = 0;

function writeBytes(from: usize, size: usize): void {
  memory.copy(out + written, from, size);
  written += size;
}

function writeText(text: string): void {
  for (let i = 0; i < text.length; i += 1) store<u8>(out + written++, <u8>text.charCodeAt(i));
}

export function tabmesh_run(ptr: i32, len: i32): i64 {
  at = <usize>ptr;
  end = at + <usize>len;
  const starts = new Array<usize>();
  const sizes = new Array<usize>();
  const vectors = new Array<StaticArray<f64>>();
  let query = new StaticArray<f64>(0);
  expect(OPEN_RECORD);
  do {
    const name = readName();
    if (name == 0x71) {
      query = readVector();
      continue;
    }
    expect(OPEN_LIST);
    if (isNext(CLOSE_LIST)) continue;
    do {
      if (name == 0x76) {
        vectors.push(readVector());
      } else {
        peek();
        starts.push(at);
        skipText();
        sizes.push(at - starts[starts.length - 1]);
      }
    } while (isNext(COMMA));
    expect(CLOSE_LIST);
  } while (isNext(COMMA));
  expect(CLOSE_RECORD);

  const count = starts.length;
  if (vectors.length != count) fail();
  const scores = new StaticArray<f64>(count);
  for (let i = 0; i < count; i += 1) {
    if (vectors[i].length != query.length) fail();
    scores[i] = cosine(query, vectors[i]);
  }
  // Best first, of equals the earlier: there are few, so each is put where it belongs.
  const order = new StaticArray<i32>(count);
  for (let i = 0; i < count; i += 1) {
    let place = i;
    while (place > 0 && scores[order[place - 1]] < scores[i]) {
      order[place] = order[place - 1];
      place -= 1;
    }
    order[place] = i;
  }
  // The first of those that say the same stands for them.
  const kept = new Array<i32>();
  const again = new StaticArray<i32>(count);
  for (let i = 0; i < count; i += 1) {
    const passage = order[i];
    let isKept = true;
    for (let k = 0; k < kept.length && isKept; k += 1) {
      if (cosine(vectors[passage], vectors[kept[k]]) < SAME) continue;
      again[kept[k]] += 1;
      isKept = false;
    }
    if (isKept) kept.push(passage);
  }

  out = heap.alloc(<usize>len + <usize>count * 80 + 2);
  writeText("[");
  for (let k = 0; k < kept.length; k += 1) {
    const passage = kept[k];
    if (k > 0) writeText(",");
    writeText('{"again":');
    writeText(again[passage].toString());
    writeText(',"place":');
    writeText(passage.toString());
    writeText(',"score":');
    writeText((<i32>nearest(scores[passage] * 1000)).toString());
    writeText(',"text":');
    writeBytes(starts[passage], sizes[passage]);
    writeText("}");
  }
  writeText("]");
  return ((<i64>out) << 32) | <i64>(<u32>written);
}
