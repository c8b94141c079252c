;; What challenges run: the interface `bytes-1`, with two entries. The input is a seed of 32 bytes and a u32 `amount`, little-endian;
;; the output 32 bytes. No branch depends on the seed, so the fuel depends on the amount alone.
(module
  (memory (export "memory") 1 16384)
  (func (export "tabmesh_alloc") (param i32) (result i32) i32.const 64)

  ;; `amount` iterations of multiplications, rotations, loads and stores, each of which needs the one before.
  (func (export "burn") (param $in i32) (param $len i32) (result i64)
    (local $a i64) (local $b i64) (local $c i64) (local $d i64) (local $left i32) (local $at i32)
    (local.set $a (i64.load (local.get $in)))
    (local.set $b (i64.load offset=8 (local.get $in)))
    (local.set $c (i64.load offset=16 (local.get $in)))
    (local.set $d (i64.load offset=24 (local.get $in)))
    (local.set $left (i32.load offset=32 (local.get $in)))
    (loop $again
      (local.set $a (i64.add
        (i64.mul (i64.rotl (local.get $a) (i64.const 13)) (i64.const 0x9e3779b97f4a7c15))
        (local.get $b)))
      ;; One of the 1,024 words from 4,096 on.
      (local.set $at (i32.shl (i32.wrap_i64 (i64.shr_u (local.get $a) (i64.const 54))) (i32.const 3)))
      (local.set $b (i64.xor (local.get $b) (i64.load offset=4096 (local.get $at))))
      (local.set $c (i64.add
        (i64.rotl (local.get $c) (i64.const 31))
        (i64.xor (local.get $b) (local.get $d))))
      (i64.store offset=4096 (local.get $at) (local.get $c))
      (local.set $d (i64.add (local.get $d) (i64.xor (local.get $a) (local.get $c))))
      (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (i64.store (i32.const 0) (local.get $a))
    (i64.store (i32.const 8) (local.get $b))
    (i64.store (i32.const 16) (local.get $c))
    (i64.store (i32.const 24) (local.get $d))
    i64.const 32)

  ;; Mixes the block at $from into $block, word by word behind the block at $before: no word can be left out. Answers the last.
  (func $mix (param $block i32) (param $before i32) (param $from i32) (param $carry i64) (result i64)
    (local $end i32)
    (local.set $end (i32.add (local.get $block) (i32.const 1024)))
    (loop $word
      (local.set $carry (i64.xor
        (i64.mul
          (i64.rotl (i64.add (local.get $carry) (i64.load (local.get $before))) (i64.const 23))
          (i64.const 0xd6e8feb86659fd93))
        (i64.add (i64.load (local.get $from)) (i64.load (local.get $block)))))
      (i64.store (local.get $block) (local.get $carry))
      (local.set $before (i32.add (local.get $before) (i32.const 8)))
      (local.set $from (i32.add (local.get $from) (i32.const 8)))
      (br_if $word (i32.lt_u
        (local.tee $block (i32.add (local.get $block) (i32.const 8)))
        (local.get $end))))
    local.get $carry)

  ;; Fills `amount` MiB with blocks of 1 KiB, then goes over all of them once more. Each takes in the one before it and one
  ;; that the words so far choose, so whoever kept less would have to compute ever more of them again.
  (func (export "fill") (param $in i32) (param $len i32) (result i64)
    (local $blocks i32) (local $i i32) (local $pass i32) (local $base i32) (local $size i32)
    (local $block i32) (local $before i32) (local $carry i64) (local $among i32)
    (local.set $base (i32.const 65536))
    (local.set $size (i32.shl (i32.load offset=32 (local.get $in)) (i32.const 20)))
    (local.set $blocks (i32.shr_u (local.get $size) (i32.const 10)))
    (if (i32.eq (memory.grow (i32.shr_u (local.get $size) (i32.const 16))) (i32.const -1)) (then unreachable))
    (local.set $carry (i64.add
      (i64.xor (i64.load (local.get $in)) (i64.rotl (i64.load offset=8 (local.get $in)) (i64.const 17)))
      (i64.xor (i64.load offset=16 (local.get $in)) (i64.rotl (i64.load offset=24 (local.get $in)) (i64.const 41)))))
    (local.set $before (local.get $base))
    (loop $passes
      (local.set $i (i32.const 0))
      (loop $next
        (local.set $block (i32.add (local.get $base) (i32.shl (local.get $i) (i32.const 10))))
        ;; In the first pass among those before it, in the second among all.
        (local.set $among (select (local.get $blocks) (i32.add (local.get $i) (i32.const 1)) (local.get $pass)))
        (local.set $carry (call $mix
          (local.get $block)
          (local.get $before)
          (i32.add (local.get $base) (i32.shl
            (i32.rem_u (i32.wrap_i64 (i64.shr_u (local.get $carry) (i64.const 32))) (local.get $among))
            (i32.const 10)))
          (i64.add (local.get $carry) (i64.extend_i32_u (local.get $i)))))
        (local.set $before (local.get $block))
        (br_if $next (i32.lt_u
          (local.tee $i (i32.add (local.get $i) (i32.const 1)))
          (local.get $blocks))))
      (br_if $passes (i32.lt_u
        (local.tee $pass (i32.add (local.get $pass) (i32.const 1)))
        (i32.const 2))))
    ;; The last four words.
    (i64.or
      (i64.shl
        (i64.extend_i32_u (i32.sub (i32.add (local.get $base) (local.get $size)) (i32.const 32)))
        (i64.const 32))
      (i64.const 32)))
)
