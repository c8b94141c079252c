/** C += A * B of f32[SIZE, SIZE], row-major, `rounds` times, in the order that walks along rows. */
#define SIZE 96

static float a[SIZE * SIZE], b[SIZE * SIZE], c[SIZE * SIZE];

static void multiply(void) {
  for (int i = 0; i < SIZE; i++)
    for (int k = 0; k < SIZE; k++) {
      float factor = a[i * SIZE + k];
      for (int j = 0; j < SIZE; j++) c[i * SIZE + j] += factor * b[k * SIZE + j];
    }
}

__attribute__((export_name("run"), no_builtin("memset"))) unsigned run(unsigned rounds) {
  for (int i = 0; i < SIZE * SIZE; i++) {
    a[i] = (float)(i % 17) * 0.25f - 2;
    b[i] = (float)(i % 13) * 0.5f - 3;
    c[i] = 0;
  }
  for (unsigned round = 0; round < rounds; round++) multiply();
  unsigned sum = 0;
  for (int i = 0; i < SIZE * SIZE; i++) sum = sum * 31 + (unsigned)(int)(c[i] * 0.125f);
  return sum;
}
