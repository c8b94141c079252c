/*
 * Counts lines, words and bytes of standard input, as wc does: a WASI preview 1 command. A word is a longest run of
 * bytes that are not ASCII white space. Exits 1 when reading fails.
 */
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

static int is_space(unsigned char byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

int main(void) {
  static unsigned char buffer[65536];
  uint64_t lines = 0, words = 0, bytes = 0;
  int inside = 0;
  for (;;) {
    ssize_t count = read(0, buffer, sizeof buffer);
    if (count < 0) {
      perror("wordcount");
      return 1;
    }
    if (count == 0) break;
    bytes += (uint64_t)count;
    for (ssize_t i = 0; i < count; i++) {
      lines += buffer[i] == '\n';
      int space = is_space(buffer[i]);
      words += !space && !inside;
      inside = !space;
    }
  }
  printf("%llu %llu %llu\n", (unsigned long long)lines, (unsigned long long)words, (unsigned long long)bytes);
  return 0;
}
