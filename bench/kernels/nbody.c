/** Five bodies under gravity in f64, `steps` steps; returns the bits of their energy, folded. */
#define BODIES 5

typedef struct {
  double x, y, z, vx, vy, vz, mass;
} Body;

static Body bodies[BODIES];

static void place(void) {
  for (int i = 0; i < BODIES; i++) {
    double at = 1 + i * 3.7;
    Body body = {at, i * 0.31 - 1, i * 0.07, 0.013 * i, 5.1 / at, 0.002 * i, i == 0 ? 39.5 : 0.03 / at};
    bodies[i] = body;
  }
}

static void advance(double step) {
  for (int i = 0; i < BODIES; i++) {
    Body *one = &bodies[i];
    for (int j = i + 1; j < BODIES; j++) {
      Body *other = &bodies[j];
      double dx = one->x - other->x, dy = one->y - other->y, dz = one->z - other->z;
      double square = dx * dx + dy * dy + dz * dz;
      double pull = step / (square * __builtin_sqrt(square));
      one->vx -= dx * other->mass * pull;
      one->vy -= dy * other->mass * pull;
      one->vz -= dz * other->mass * pull;
      other->vx += dx * one->mass * pull;
      other->vy += dy * one->mass * pull;
      other->vz += dz * one->mass * pull;
    }
  }
  for (int i = 0; i < BODIES; i++) {
    bodies[i].x += step * bodies[i].vx;
    bodies[i].y += step * bodies[i].vy;
    bodies[i].z += step * bodies[i].vz;
  }
}

static double energy(void) {
  double sum = 0;
  for (int i = 0; i < BODIES; i++) {
    Body *one = &bodies[i];
    sum += 0.5 * one->mass * (one->vx * one->vx + one->vy * one->vy + one->vz * one->vz);
    for (int j = i + 1; j < BODIES; j++) {
      double dx = one->x - bodies[j].x, dy = one->y - bodies[j].y, dz = one->z - bodies[j].z;
      sum -= one->mass * bodies[j].mass / __builtin_sqrt(dx * dx + dy * dy + dz * dz);
    }
  }
  return sum;
}

__attribute__((export_name("run"))) unsigned run(unsigned steps) {
  place();
  for (unsigned i = 0; i < steps; i++) advance(0.001);
  union {
    double value;
    unsigned half[2];
  } bits = {energy()};
  return bits.half[0] ^ bits.half[1];
}
