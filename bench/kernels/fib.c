/** Fibonacci numbers by two calls each: nothing but calls. The compiler may not turn one of them into a loop. */
__attribute__((noinline, disable_tail_calls)) static unsigned fib(unsigned n) {
  return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

__attribute__((export_name("run"))) unsigned run(unsigned n) { return fib(n); }
