/*
 * Cleans a document and cuts it into passages: a WASI preview 1 command. Standard input is HTML or plain text, as UTF-8;
 * standard output is a canonical JSON list of texts.
 *
 * What stands between tags is kept, what stands in script, style, head and comments is not. Runs of white space become one
 * space, entities that matter are decoded, bytes that are no UTF-8 become U+FFFD. A block (paragraph, list item, heading …)
 * ends a passage, and so does a sentence once the passage has MOST_BYTES. Passages below LEAST_BYTES say nothing and are left
 * out. Exits 1 when standard input cannot be read.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_BYTES = 220, LEAST_BYTES = 24, LONGEST_BYTES = 4096 };

static char *input;
static size_t length;

static char *text;
static size_t used;

static int passages;

static int read_all(void) {
  size_t room = 1 << 16;
  input = malloc(room);
  while (input != NULL) {
    ssize_t count = read(0, input + length, room - length);
    if (count <= 0) return (int)count;
    length += (size_t)count;
    if (length == room) input = realloc(input, room *= 2);
  }
  return -1;
}

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }
static int is_letter(char c) { return lower(c) >= 'a' && lower(c) <= 'z'; }
static int is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* Whether a name in lower case stands at `at`, and no longer name does. */
static int has_name(size_t at, const char *name) {
  size_t size = strlen(name);
  if (at + size > length) return 0;
  for (size_t i = 0; i < size; i++)
    if (lower(input[at + i]) != name[i]) return 0;
  return at + size == length || (!is_letter(input[at + size]) && input[at + size] != '-');
}

/* A block ends: '\n' stands for it in what is kept. */
static void end_block(void) {
  while (used > 0 && text[used - 1] == ' ') used--;
  if (used > 0 && text[used - 1] != '\n') text[used++] = '\n';
}

static void keep(char c) {
  if (is_space(c) || (unsigned char)c < ' ' || c == 0x7f) {
    if (used > 0 && text[used - 1] != ' ' && text[used - 1] != '\n') text[used++] = ' ';
  } else {
    text[used++] = c;
  }
}

/* Bytes of the UTF-8 character at `at`; 0 where there is none (RFC 3629: no surrogates, no longer forms). */
static size_t character_size(size_t at) {
  unsigned char a = (unsigned char)input[at];
  size_t size = a < 0x80 ? 1 : a >= 0xc2 && a < 0xe0 ? 2 : a >= 0xe0 && a < 0xf0 ? 3 : a >= 0xf0 && a < 0xf5 ? 4 : 0;
  if (size == 0 || at + size > length) return 0;
  for (size_t i = 1; i < size; i++)
    if (((unsigned char)input[at + i] & 0xc0) != 0x80) return 0;
  unsigned char b = size > 1 ? (unsigned char)input[at + 1] : 0;
  if ((a == 0xe0 && b < 0xa0) || (a == 0xed && b > 0x9f) || (a == 0xf0 && b < 0x90) || (a == 0xf4 && b > 0x8f)) return 0;
  return size;
}

static const struct {
  const char *name;
  const char *text;
} ENTITIES[] = {{"&amp;", "&"},  {"&lt;", "<"},         {"&gt;", ">"},         {"&quot;", "\""},
                {"&#39;", "'"},  {"&apos;", "'"},       {"&nbsp;", " "},       {"&ndash;", "\xe2\x80\x93"},
                {"&ldquo;", "\xe2\x80\x9c"}, {"&rdquo;", "\xe2\x80\x9d"},
                {"&rsquo;", "\xe2\x80\x99"}, {"&euro;", "\xe2\x82\xac"},  {"&hellip;", "\xe2\x80\xa6"}};

/* What an entity stands for; everything unknown stays as it is written. Returns its bytes in the input. */
static size_t keep_entity(size_t at) {
  for (size_t i = 0; i < sizeof ENTITIES / sizeof *ENTITIES; i++) {
    size_t size = strlen(ENTITIES[i].name);
    if (at + size > length || memcmp(input + at, ENTITIES[i].name, size) != 0) continue;
    for (const char *c = ENTITIES[i].text; *c != 0; c++) keep(*c);
    return size;
  }
  keep('&');
  return 1;
}

static size_t after(size_t at, const char *end) {
  size_t size = strlen(end);
  while (at + size <= length && memcmp(input + at, end, size) != 0) at++;
  return at + size <= length ? at + size : length;
}

static const char *const HIDDEN[] = {"head", "script", "style", "template", "nav"};
static const char *const INLINE[] = {"a", "abbr", "b", "cite", "code", "em", "i", "kbd", "small", "span", "strong", "sub", "sup", "u"};

/* Goes over a tag, with all that is hidden in it. Returns the place behind it. */
static size_t skip_tag(size_t at) {
  if (at + 3 < length && memcmp(input + at, "<!--", 4) == 0) return after(at + 4, "-->");
  size_t name = at + 1 + (input[at + 1] == '/');
  for (size_t i = 0; i < sizeof INLINE / sizeof *INLINE; i++)
    if (has_name(name, INLINE[i])) return after(at, ">");
  end_block();
  for (size_t i = 0; i < sizeof HIDDEN / sizeof *HIDDEN && name == at + 1; i++) {
    if (!has_name(name, HIDDEN[i])) continue;
    size_t end = name;
    while (end + 2 < length && !(input[end] == '<' && input[end + 1] == '/' && has_name(end + 2, HIDDEN[i]))) end++;
    return after(end, ">");
  }
  return after(at, ">");
}

static void clean(void) {
  for (size_t at = 0; at < length;) {
    char c = input[at];
    if (c == '<' && at + 1 < length && (is_letter(input[at + 1]) || input[at + 1] == '/' || input[at + 1] == '!')) {
      at = skip_tag(at);
    } else if (c == '&') {
      at += keep_entity(at);
    } else if (c == '\n' && at + 1 < length && input[at + 1] == '\n') {
      end_block();
      at += 2;
    } else {
      size_t size = character_size(at);
      if (size == 0) memcpy(text + used, "\xef\xbf\xbd", 3), used += 3;
      else if (size == 1) keep(c);
      else memcpy(text + used, input + at, size), used += size;
      at += size == 0 ? 1 : size;
    }
  }
  end_block();
}

static void write_passage(size_t from, size_t to) {
  while (from < to && text[from] == ' ') from++;
  while (to > from && text[to - 1] == ' ') to--;
  if (to - from < LEAST_BYTES) return;
  fputs(passages++ == 0 ? "\"" : ",\"", stdout);
  for (size_t i = from; i < to; i++) {
    if (text[i] == '"' || text[i] == '\\') putchar('\\');
    putchar(text[i]);
  }
  putchar('"');
}

static int ends_sentence(size_t at) {
  return (text[at] == '.' || text[at] == '!' || text[at] == '?') && text[at + 1] == ' ';
}

static void cut(void) {
  size_t from = 0;
  for (size_t at = 0; at < used; at++) {
    size_t size = at - from;
    int is_full = size >= MOST_BYTES && ends_sentence(at);
    int is_endless = size >= LONGEST_BYTES && text[at] == ' ';
    if (text[at] != '\n' && !is_full && !is_endless) continue;
    write_passage(from, text[at] == '\n' ? at : at + 1);
    from = at + 1;
  }
}

int main(void) {
  if (read_all() < 0) {
    perror("split");
    return 1;
  }
  /* A byte that is no UTF-8 becomes three; every block may end in '\n'. */
  text = malloc(3 * length + 2);
  if (text == NULL) return 1;
  clean();
  putchar('[');
  cut();
  putchar(']');
  return ferror(stdout) || fflush(stdout) != 0;
}
