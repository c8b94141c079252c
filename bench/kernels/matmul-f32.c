/** C = A * B of f32[SIZE, SIZE], row-major, `rounds` times, as it stands in textbooks: one sum per element. */
#define SIZE 96

static float a[SIZE * SIZE], b[SIZE * SIZE], c[SIZE * SIZE];

__attribute__((export_name("run"))) unsigned run(unsigned rounds) {
  for (int i = 0; i < SIZE * SIZE; i++) {
    a[i] = (float)(i % 17) * 0.25f - 2;
    b[i] = (float)(i % 13) * 0.5f - 3;
  }
  unsigned checksum = 0;
  for (unsigned round = 0; round < rounds; round++) {
    a[round % (SIZE * SIZE)] += 0.5f;
    for (int i = 0; i < SIZE; i++)
      for (int j = 0; j < SIZE; j++) {
        float sum = 0;
        for (int k = 0; k < SIZE; k++) sum += a[i * SIZE + k] * b[k * SIZE + j];
        c[i * SIZE + j] = sum;
      }
    checksum = checksum * 31 + (unsigned)(int)c[(round * 97) % (SIZE * SIZE)];
  }
  return checksum;
}
