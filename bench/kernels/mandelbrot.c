/** Iterations of z² + c over a grid of 96 × 64 points, at most `limit` each; returns their sum. */
__attribute__((export_name("run"))) unsigned run(unsigned limit) {
  unsigned sum = 0;
  for (int row = 0; row < 64; row++)
    for (int column = 0; column < 96; column++) {
      double real = -2.2 + column * (3.2 / 96), imaginary = -1.2 + row * (2.4 / 64);
      double x = 0, y = 0;
      unsigned count = 0;
      while (count < limit && x * x + y * y <= 4) {
        double next = x * x - y * y + real;
        y = 2 * x * y + imaginary;
        x = next;
        count++;
      }
      sum += count;
    }
  return sum;
}
