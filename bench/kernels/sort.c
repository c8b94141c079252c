/** Quicksort, median of three, of 32,768 pseudo-random integers, `rounds` times; insertion sort at the ends. */
#define SIZE 32768

static int values[SIZE];

static void insert(int *from, int count) {
  for (int i = 1; i < count; i++) {
    int value = from[i], j = i;
    for (; j > 0 && from[j - 1] > value; j--) from[j] = from[j - 1];
    from[j] = value;
  }
}

static int middle(int a, int b, int c) {
  if (a < b) return b < c ? b : a < c ? c : a;
  return a < c ? a : b < c ? c : b;
}

static void quicksort(int *from, int count) {
  while (count > 12) {
    int pivot = middle(from[0], from[count / 2], from[count - 1]);
    int left = 0, right = count - 1;
    while (left <= right) {
      while (from[left] < pivot) left++;
      while (from[right] > pivot) right--;
      if (left > right) break;
      int value = from[left];
      from[left++] = from[right];
      from[right--] = value;
    }
    quicksort(from, right + 1);
    from += left;
    count -= left;
  }
  insert(from, count);
}

__attribute__((export_name("run"))) unsigned run(unsigned rounds) {
  unsigned state = 2463534242u, sum = 0;
  for (unsigned round = 0; round < rounds; round++) {
    for (int i = 0; i < SIZE; i++) {
      state ^= state << 13;
      state ^= state >> 17;
      state ^= state << 5;
      values[i] = (int)state;
    }
    quicksort(values, SIZE);
    for (int i = 1; i < SIZE; i++) {
      if (values[i - 1] > values[i]) return 0;
      sum = sum * 31 + (unsigned)values[i];
    }
  }
  return sum;
}
