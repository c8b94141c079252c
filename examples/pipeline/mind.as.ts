/**
 * A mind that follows three rules, in place of a model: a function of bytes (ABI "bytes-1") for the plan's node `agent`.
 *
 * Input: JSON {"rules", "steps", "task": {"url", "word"}, "tools"}, as docs/plan.md has it. It reads the page, then cuts it into
 * passages, then answers with those that hold the word; where a tool failed it answers why. Traps on anything else.
 */

const QUOTE: u8 = 0x22;
const BACKSLASH: u8 = 0x5c;
const COMMA: u8 = 0x2c;
const COLON: u8 = 0x3a;
const OPEN_LIST: u8 = 0x5b;
const CLOSE_LIST: u8 = 0x5d;
const OPEN_RECORD: u8 = 0x7b;
const CLOSE_RECORD: u8 = 0x7d;

let end: usize = 0;
let out: usize = 0;
let written: usize = 0;

export function tabmesh_alloc(size: i32): i32 {
  return size < 0 ? 0 : <i32>heap.alloc(<usize>size);
}

/** The input is canonical JSON: there is no space between its parts. */
function at(place: usize): u8 {
  if (place >= end) unreachable();
  return load<u8>(place);
}

/** The place behind the value that begins here. */
function behind(place: usize): usize {
  const first = at(place);
  if (first == QUOTE) {
    place += 1;
    while (at(place) != QUOTE) place += at(place) == BACKSLASH ? 2 : 1;
    return place + 1;
  }
  if (first == OPEN_LIST || first == OPEN_RECORD) {
    if (at(place + 1) == CLOSE_LIST || at(place + 1) == CLOSE_RECORD) return place + 2;
    do {
      place = behind(place + 1);
      if (at(place) == COLON) place = behind(place + 1);
    } while (at(place) == COMMA);
    return place + 1;
  }
  while (place < end && at(place) != COMMA && at(place) != CLOSE_LIST && at(place) != CLOSE_RECORD)
    place += 1;
  return place;
}

function isText(place: usize, text: string): bool {
  for (let i = 0; i < text.length; i += 1) if (at(place + 1 + i) != <u8>text.charCodeAt(i)) return false;
  return at(place) == QUOTE && at(place + 1 + text.length) == QUOTE;
}

/** Where the field's value begins; 0 where the record has none of that name. */
function field(record: usize, name: string): usize {
  if (at(record) != OPEN_RECORD) unreachable();
  if (at(record + 1) == CLOSE_RECORD) return 0;
  let place = record;
  do {
    const key = place + 1;
    const value = behind(key) + 1;
    if (isText(key, name)) return value;
    place = behind(value);
  } while (at(place) == COMMA);
  return 0;
}

/** Where the last element of a list begins; 0 of an empty one. */
function last(list: usize): usize {
  if (at(list) != OPEN_LIST) unreachable();
  if (at(list + 1) == CLOSE_LIST) return 0;
  let element = list + 1;
  while (at(behind(element)) == COMMA) element = behind(element) + 1;
  return element;
}

function lower(byte: u8): u8 {
  return byte >= 0x41 && byte <= 0x5a ? byte + 32 : byte;
}

/** Whether a text has the letters of another in it, large or small. */
function holds(text: usize, word: usize): bool {
  const size = behind(word) - word - 2;
  const most = behind(text) - 1;
  for (let from = text + 1; from + size <= most; from += 1) {
    let same: usize = 0;
    while (same < size && lower(at(from + same)) == lower(at(word + 1 + same))) same += 1;
    if (same == size) return true;
  }
  return false;
}

function say(text: string): void {
  for (let i = 0; i < text.length; i += 1) store<u8>(out + written++, <u8>text.charCodeAt(i));
}

function sayValue(place: usize): void {
  const size = behind(place) - place;
  memory.copy(out + written, place, size);
  written += size;
}

function answer(passages: usize, word: usize): void {
  say('{"answer":[');
  let first = true;
  let place = passages;
  if (at(place) != OPEN_LIST) unreachable();
  if (at(place + 1) != CLOSE_LIST) {
    do {
      const passage = place + 1;
      place = behind(passage);
      if (!holds(passage, word)) continue;
      if (!first) say(",");
      sayValue(passage);
      first = false;
    } while (at(place) == COMMA);
  }
  say("]}");
}

export function tabmesh_run(ptr: i32, len: i32): i64 {
  const input = <usize>ptr;
  end = input + <usize>len;
  out = heap.alloc(<usize>len + 64);
  const task = field(input, "task");
  const step = last(field(input, "steps"));
  if (task == 0) unreachable();
  if (step == 0) {
    say('{"input":{"as":"text","url":');
    sayValue(field(task, "url"));
    say('},"tool":"read"}');
  } else if (field(step, "failure") != 0) {
    say('{"answer":[');
    sayValue(field(field(step, "failure"), "detail"));
    say("]}");
  } else if (isText(field(step, "tool"), "read")) {
    say('{"input":');
    sayValue(field(step, "result"));
    say(',"tool":"cut"}');
  } else {
    answer(field(step, "result"), field(task, "word"));
  }
  return ((<i64>out) << 32) | <i64>(<u32>written);
}
