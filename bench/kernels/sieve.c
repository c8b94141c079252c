/** Sieve of Eratosthenes over bytes, `rounds` times; returns the primes below SIZE, mixed over the rounds. */
#define SIZE 65536

static unsigned char composite[SIZE];

__attribute__((export_name("run"), no_builtin("memset"))) unsigned run(unsigned rounds) {
  unsigned sum = 0;
  for (unsigned round = 0; round < rounds; round++) {
    for (unsigned i = 0; i < SIZE; i++) composite[i] = 0;
    composite[round & 1] = 1;
    unsigned primes = 0;
    for (unsigned i = 2; i < SIZE; i++) {
      if (composite[i]) continue;
      primes++;
      for (unsigned j = i * 2; j < SIZE; j += i) composite[j] = 1;
    }
    sum = sum * 31 + primes;
  }
  return sum;
}
