/**
 * Ranks passages by their likeness to a question and folds those that say the same: a function of bytes (ABI "bytes-1").
 *
 * Input: JSON {"documents": [{"passages": [text …], "url": text, "vectors": [[number …] …]} …], "query": [number …]}, one vector
 * for each passage, all of one length; other fields are passed over. Output: canonical JSON [{"again", "score", "text", "url"} …],
 * best first: how many others say nearly the same, the cosine with the question in thousandths, the passage and where it stands.
 * Traps on anything else.
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

/** Goes over any value. */
function skipValue(): void {
  const first = peek();
  if (first == QUOTE) return skipText();
  if (first == OPEN_LIST || first == OPEN_RECORD) {
    const close: u8 = first == OPEN_LIST ? CLOSE_LIST : CLOSE_RECORD;
    at += 1;
    if (isNext(close)) return;
    do {
      if (close == CLOSE_RECORD) {
        skipText();
        expect(COLON);
      }
      skipValue();
    } while (isNext(COMMA));
    return expect(close);
  }
  const from = at;
  while (at < end && ((load<u8>(at) | 0x20) >= 0x61 || isDigit() || isSign(load<u8>(at)))) {
    if (
      load<u8>(at) == CLOSE_LIST ||
      load<u8>(at) == CLOSE_RECORD ||
      load<u8>(at) == OPEN_LIST ||
      load<u8>(at) == OPEN_RECORD
    )
      break;
    at += 1;
  }
  if (at == from) fail();
}

function isSign(byte: u8): bool {
  return byte == MINUS || byte == PLUS || byte == DOT;
}

const DOCUMENTS: u8 = 0x64;
const PASSAGES: u8 = 0x70;
const QUERY: u8 = 0x71;
const URL: u8 = 0x75;
const VECTORS: u8 = 0x76;

/** The first letter of a name that means something here; 0 of any other. No two of them begin alike. */
function readName(): u8 {
  peek();
  const from = at;
  skipText();
  const size = at - from - 2;
  expect(COLON);
  const first = load<u8>(from + 1);
  if (first == DOCUMENTS && size == 9) return first;
  if (first == PASSAGES && size == 8) return first;
  if (first == QUERY && size == 5) return first;
  if (first == URL && size == 3) return first;
  if (first == VECTORS && size == 7) return first;
  return 0;
}

const starts: Array<usize> = [];
const sizes: Array<usize> = [];
const vectors: Array<StaticArray<f64>> = [];
/** Of each passage, the number of its document. */
const documents: Array<i32> = [];
const urlStarts: Array<usize> = [];
const urlSizes: Array<usize> = [];
let query: StaticArray<f64> = new StaticArray<f64>(0);

function readTexts(document: i32): void {
  expect(OPEN_LIST);
  if (isNext(CLOSE_LIST)) return;
  do {
    peek();
    const from = at;
    skipText();
    starts.push(from);
    sizes.push(at - from);
    documents.push(document);
  } while (isNext(COMMA));
  expect(CLOSE_LIST);
}

function readVectors(): void {
  expect(OPEN_LIST);
  if (isNext(CLOSE_LIST)) return;
  do vectors.push(readVector());
  while (isNext(COMMA));
  expect(CLOSE_LIST);
}

function readDocument(): void {
  const document = urlStarts.length;
  let url: usize = 0;
  let urlSize: usize = 0;
  expect(OPEN_RECORD);
  if (!isNext(CLOSE_RECORD)) {
    do {
      const name = readName();
      if (name == PASSAGES) readTexts(document);
      else if (name == VECTORS) readVectors();
      else if (name == URL) {
        peek();
        url = at;
        skipText();
        urlSize = at - url;
      } else skipValue();
    } while (isNext(COMMA));
    expect(CLOSE_RECORD);
  }
  if (urlSize == 0 || starts.length != vectors.length) fail();
  urlStarts.push(url);
  urlSizes.push(urlSize);
}

function readInput(): void {
  expect(OPEN_RECORD);
  do {
    const name = readName();
    if (name == QUERY) query = readVector();
    else if (name == DOCUMENTS) {
      expect(OPEN_LIST);
      if (!isNext(CLOSE_LIST)) {
        do readDocument();
        while (isNext(COMMA));
        expect(CLOSE_LIST);
      }
    } else skipValue();
  } while (isNext(COMMA));
  expect(CLOSE_RECORD);
  if (peek() != 0 || query.length == 0) fail();
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
  readInput();
  const count = starts.length;
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

  let room: usize = <usize>len + 2;
  for (let k = 0; k < kept.length; k += 1) room += urlSizes[documents[kept[k]]] + 80;
  out = heap.alloc(room);
  writeText("[");
  for (let k = 0; k < kept.length; k += 1) {
    const passage = kept[k];
    if (k > 0) writeText(",");
    writeText('{"again":');
    writeText(again[passage].toString());
    writeText(',"score":');
    writeText((<i32>nearest(scores[passage] * 1000)).toString());
    writeText(',"text":');
    writeBytes(starts[passage], sizes[passage]);
    writeText(',"url":');
    writeBytes(urlStarts[documents[passage]], urlSizes[documents[passage]]);
    writeText("}");
  }
  writeText("]");
  return ((<i64>out) << 32) | <i64>(<u32>written);
}
