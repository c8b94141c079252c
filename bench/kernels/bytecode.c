/** An interpreter of a small register machine: sums the lengths of Collatz sequences of the numbers up to `limit`. */
enum { SET, ADD, MULTIPLY, HALVE, AND, LESS, JUMP, JUMP_IF, CALL, HALT };

typedef struct {
  unsigned char code, target, left, right;
} Instruction;

/** r0 limit, r1 number, r2 value, r3 sum, r4 flag, r5 one, r6 three, r7 two, r8 zero */
static const Instruction PROGRAM[] = {
    {SET, 5, 1, 0},      {SET, 6, 3, 0},    {SET, 7, 2, 0},     {SET, 1, 1, 0},      {SET, 3, 0, 0},
    {ADD, 2, 1, 8},      {LESS, 4, 2, 7},   {JUMP_IF, 4, 16, 0}, {AND, 4, 2, 5},     {ADD, 3, 3, 5},
    {JUMP_IF, 4, 13, 0}, {HALVE, 2, 2, 0},  {JUMP, 0, 6, 0},    {MULTIPLY, 2, 2, 6}, {CALL, 2, 0, 0},
    {JUMP, 0, 6, 0},     {ADD, 1, 1, 5},    {LESS, 4, 0, 1},    {JUMP_IF, 4, 20, 0}, {JUMP, 0, 5, 0},
    {HALT, 3, 0, 0},
};

typedef unsigned (*Native)(unsigned);

__attribute__((noinline)) static unsigned increment(unsigned value) { return value + 1; }
__attribute__((noinline)) static unsigned negate(unsigned value) { return 0 - value; }

static const Native NATIVES[2] = {increment, negate};

__attribute__((export_name("run"))) unsigned run(unsigned limit) {
  unsigned r[9] = {limit, 0, 0, 0, 0, 0, 0, 0, 0};
  unsigned at = 0;
  for (;;) {
    Instruction i = PROGRAM[at++];
    switch (i.code) {
      case SET:
        r[i.target] = i.left;
        break;
      case ADD:
        r[i.target] = r[i.left] + r[i.right];
        break;
      case MULTIPLY:
        r[i.target] = r[i.left] * r[i.right];
        break;
      case HALVE:
        r[i.target] = r[i.left] >> 1;
        break;
      case AND:
        r[i.target] = r[i.left] & r[i.right];
        break;
      case LESS:
        r[i.target] = r[i.left] < r[i.right];
        break;
      case JUMP:
        at = i.left;
        break;
      case JUMP_IF:
        if (r[i.target]) at = i.left;
        break;
      case CALL:
        r[i.target] = NATIVES[i.left](r[i.target]);
        break;
      default:
        return r[i.target];
    }
  }
}
