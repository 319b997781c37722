// Other processes of a benchmark: forked, placed on a CPU, gone with their parent.
#pragma once

#include <sys/mman.h>
#include <sys/types.h>
#include <functional>
#include <new>

namespace plurix::bench {

/// Where the two sides of a benchmark run.
enum class Placement { kOneCpu, kTwoCpus };

/// The CPU for side 0 or 1. On a machine with one CPU that is always the same one.
int cpu_of(Placement placement, int side);
const char* to_string(Placement placement);
bool has_two_cpus();

void pin_to(int cpu);
/// Takes the pinning back.
void unpin();

/// A child that runs `body` and ends. It is killed when this process ends, and by the destructor if
/// nobody joined it.
class Child {
 public:
  explicit Child(const std::function<void()>& body);
  Child(Child&& other) noexcept : pid_(other.pid_) { other.pid_ = -1; }
  Child& operator=(Child&&) = delete;
  ~Child();

  /// Waits for its end. False if it failed.
  bool join();

 private:
  pid_t pid_;
};

/// One T in memory that children forked later share.
template <class T>
class Shared {
 public:
  Shared() {
    void* memory =
        ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    value_ = new (memory) T();
  }
  ~Shared() { ::munmap(value_, sizeof(T)); }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;

  T* operator->() const { return value_; }
  T& operator*() const { return *value_; }

 private:
  T* value_;
};

}  // namespace plurix::bench
