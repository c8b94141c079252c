/**
 * What small processors are compared by: a list that is searched, reversed and sorted, products of small integer
 * matrices, a machine that reads numbers from text, and a CRC-16 over all results. `rounds` times.
 */
#define ITEMS 64
#define SIDE 10

typedef struct Item {
  struct Item *next;
  short value, index;
} Item;

static Item items[ITEMS];
static short left[SIDE * SIDE], right[SIDE * SIDE];
static int product[SIDE * SIDE];
static const char TEXT[] = "5012,1.234,-874,+122,35.54400,.1234500,-110.700,+0.64400,5.500e+3,-.123e-2,T0.3e-1F,-T.T++Tq,1T3.4e4z,";

static unsigned crc16(unsigned value, unsigned crc) {
  for (int i = 0; i < 16; i++) {
    unsigned carry = (value ^ crc) & 1;
    value >>= 1;
    crc >>= 1;
    if (carry) crc ^= 0xa001;
  }
  return crc;
}

static Item *link(unsigned seed) {
  for (int i = 0; i < ITEMS; i++) {
    seed = seed * 1103515245 + 12345;
    items[i] = (Item){i + 1 < ITEMS ? &items[i + 1] : 0, (short)(seed >> 16), (short)i};
  }
  return items;
}

static const Item *find(const Item *list, int value) {
  while (list && (list->value & 255) != value) list = list->next;
  return list;
}

static Item *reverse(Item *list) {
  Item *done = 0;
  while (list) {
    Item *next = list->next;
    list->next = done;
    done = list;
    list = next;
  }
  return done;
}

typedef int (*Compare)(const Item *, const Item *);

__attribute__((noinline)) static int by_value(const Item *a, const Item *b) { return a->value - b->value; }
__attribute__((noinline)) static int by_index(const Item *a, const Item *b) { return a->index - b->index; }

/** Merge sort of a linked list, from runs of one upwards. */
static Item *sort(Item *list, Compare compare) {
  for (int size = 1;; size *= 2) {
    Item *rest = list, *tail = 0;
    int merges = 0;
    list = 0;
    while (rest) {
      Item *a = rest, *b = rest;
      int a_left = 0, b_left = size;
      merges++;
      for (int i = 0; i < size && b; i++, a_left++) b = b->next;
      while (a_left > 0 || (b_left > 0 && b)) {
        Item *taken;
        if (a_left == 0 || (b_left > 0 && b && compare(a, b) > 0)) taken = b, b = b->next, b_left--;
        else taken = a, a = a->next, a_left--;
        if (tail) tail->next = taken;
        else list = taken;
        tail = taken;
      }
      rest = b;
    }
    tail->next = 0;
    if (merges <= 1) return list;
  }
}

static unsigned lists(unsigned seed, unsigned crc) {
  Item *list = link(seed);
  for (int i = 0; i < 16; i++) {
    const Item *found = find(list, (int)(seed + (unsigned)i * 11) & 255);
    crc = crc16(found ? (unsigned short)found->index : 1, crc);
    list = reverse(list);
  }
  list = sort(list, by_value);
  for (Item *item = list; item; item = item->next) crc = crc16((unsigned short)item->value, crc);
  list = sort(list, by_index);
  return crc16((unsigned short)list->value, crc);
}

static unsigned matrices(unsigned seed, unsigned crc) {
  for (int i = 0; i < SIDE * SIDE; i++) {
    left[i] = (short)((seed + (unsigned)i) & 255);
    right[i] = (short)((seed * 3 + (unsigned)i * 7) & 255);
  }
  for (int i = 0; i < SIDE; i++)
    for (int j = 0; j < SIDE; j++) {
      int sum = 0;
      for (int k = 0; k < SIDE; k++) sum += left[i * SIDE + k] * right[k * SIDE + j];
      product[i * SIDE + j] = (sum >> 2 & 15) * (sum >> 5 & 127);
    }
  int total = 0;
  for (int i = 0; i < SIDE * SIDE; i++) total += product[i] > 600 ? 10 : product[i] > product[0];
  return crc16((unsigned)total, crc);
}

enum { START, SIGN, INTEGER, FRACTION, POWER, EXPONENT, INVALID, STATES };

static int next_state(int state, char symbol) {
  int digit = symbol >= '0' && symbol <= '9';
  switch (state) {
    case START:
      return digit ? INTEGER : symbol == '+' || symbol == '-' ? SIGN : symbol == '.' ? FRACTION : INVALID;
    case SIGN:
      return digit ? INTEGER : symbol == '.' ? FRACTION : INVALID;
    case INTEGER:
      return digit ? INTEGER : symbol == '.' ? FRACTION : INVALID;
    case FRACTION:
      return digit ? FRACTION : symbol == 'e' || symbol == 'E' ? POWER : INVALID;
    case POWER:
      return digit || symbol == '+' || symbol == '-' ? EXPONENT : INVALID;
    case EXPONENT:
      return digit ? EXPONENT : INVALID;
    default:
      return INVALID;
  }
}

static unsigned states(unsigned seed, unsigned crc) {
  unsigned counts[STATES] = {0};
  int state = START;
  for (unsigned i = 0; i < sizeof TEXT - 1; i++) {
    char symbol = i % 7 == seed % 7 ? (char)(TEXT[i] ^ 1) : TEXT[i];
    if (symbol == ',') counts[state]++, state = START;
    else state = next_state(state, symbol);
  }
  for (int i = 0; i < STATES; i++) crc = crc16(counts[i], crc);
  return crc;
}

__attribute__((export_name("run"))) unsigned run(unsigned rounds) {
  unsigned crc = 0;
  for (unsigned round = 0; round < rounds; round++)
    crc = states(round, matrices(round, lists(round ^ crc, crc)));
  return crc;
}
