// The first and only program of the Linux that boot_bench boots: tells how long the kernel has run,
// and sleeps. No library, so that nothing but the kernel is measured.
namespace {

constexpr long kWrite = 1;
constexpr long kPause = 34;
constexpr long kClockGetTime = 228;
constexpr long kClockBootTime = 7;
constexpr long kStandardOutput = 1;

long call(long number, long first, long second, long third) {
  long result = 0;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(first), "S"(second), "d"(third)
               : "rcx", "r11", "memory");
  return result;
}

template <class T>
long address(T* place) {
  return reinterpret_cast<long>(place);
}

}  // namespace

asm(".globl _start\n_start: andq $-16, %rsp\n call plurix_linux_init\n");

extern "C" [[gnu::used]] void plurix_linux_init() {
  long now[2] = {0, 0};  // seconds, nanoseconds
  call(kClockGetTime, kClockBootTime, address(now), 0);
  char text[] = "{\"event\":\"init\",\"kernel_us\":000000000000}\n";
  auto us = now[0] * 1'000'000 + now[1] / 1'000;
  for (auto* digit = text + sizeof text - 4; *digit != ':'; --digit) {
    *digit = static_cast<char>('0' + us % 10);
    us /= 10;
  }
  call(kWrite, kStandardOutput, address(text), sizeof text - 1);
  for (;;) call(kPause, 0, 0, 0);
}
