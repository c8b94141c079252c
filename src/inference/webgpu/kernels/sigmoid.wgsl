// 1 / (1 + e^-x) of x in Q14, in Q15, by `table`.
fn sigmoid(x: i32) -> i32 {
  let size = magnitude(x);
  let place = size >> 8u;
  var value = 32768;
  if (place < 1024u) {
    let a = table[place];
    value = a + (((table[place + 1u] - a) * i32(size & 0xffu) + 128) >> 8u);
  }
  return select(value, 32768 - value, x < 0);
}
