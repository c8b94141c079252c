// 1 / (1 + e^-x) of x in Q14, in Q15.

@group(0) @binding(3) var<storage, read> sigmoid_table: array<i32>;

fn sigmoid(x: i32) -> i32 {
  let size = magnitude(x);
  let place = size >> 8u;
  var value = 32768;
  if (place < 1024u) {
    let a = sigmoid_table[place];
    value = a + (((sigmoid_table[place + 1u] - a) * i32(size & 0xffu) + 128) >> 8u);
  }
  return select(value, 32768 - value, x < 0);
}
