// A virtual machine as another process: started, talked to over its first serial port, killed.
#pragma once

#include <sys/types.h>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace plurix::bench {

/// Whether QEMU is installed.
bool has_qemu();

/// Two ends of a cable between machines, for `-netdev dgram`.
class Cable {
 public:
  Cable();
  ~Cable();
  Cable(const Cable&) = delete;
  Cable& operator=(const Cable&) = delete;

  int end(int number) const { return ends_[number]; }

 private:
  int ends_[2] = {-1, -1};
};

/// An emulated PC (TCG, qboot), the same for every kernel.
class Qemu {
 public:
  struct Setup {
    std::string kernel;
    std::string initrd;  ///< empty: none
    std::string words;   ///< the kernel's command line
    int memory_mib = 192;
    int cable = -1;  ///< for its RTL8139; -1: it has none
    int number = 1;  ///< in its MAC address
  };

  explicit Qemu(const Setup& setup);
  ~Qemu();
  Qemu(const Qemu&) = delete;
  Qemu& operator=(const Qemu&) = delete;

  void say(const std::string& line);

  /// The next line with these words in it; none if it does not come in time, or the machine ends.
  std::optional<std::string> line_with(const std::string& words, double seconds);

 private:
  static std::vector<std::string> command_line(const Setup& setup);
  std::optional<std::string> next_line(double seconds);

  pid_t pid_ = -1;
  int in_ = -1;
  int out_ = -1;
  std::string unread_;
};

/// The number behind "key": in a line of JSON; 0 if there is none.
double number_in(const std::string& line, const std::string& key);

/// A file system for Linux to begin with: one program, /init, and a console. Returns its bytes.
std::string initial_files(const std::string& init);

}  // namespace plurix::bench
