#include "support/qemu.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include "plurix/qemu_command_line.h"

namespace plurix::bench {
namespace {

void close_if_open(int fd) {
  if (fd >= 0) ::close(fd);
}

// The member of an archive in the format "newc" (Linux, Documentation/driver-api/early-userspace).
void add_member(std::string& archive, const std::string& name, unsigned mode, unsigned device,
                const std::string& contents) {
  char head[111];
  std::snprintf(head, sizeof head, "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x",
                0, mode, 0, 0, 1, 0, contents.size(), 0, 0, device >> 8, device & 0xff,
                name.size() + 1, 0);
  const auto pad = [&] { archive.resize((archive.size() + 3) / 4 * 4, '\0'); };
  archive += head + name + '\0';
  pad();
  archive += contents;
  pad();
}

}  // namespace

bool has_qemu() {
  return std::system((std::string("command -v ") + tool::kQemu + " >/dev/null").c_str()) == 0;
}

Cable::Cable() {
  if (::socketpair(AF_UNIX, SOCK_DGRAM, 0, ends_) != 0) throw std::runtime_error("no socket pair");
  const int room = 1 << 20;
  for (const int end : ends_) ::setsockopt(end, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
}

Cable::~Cable() {
  for (const int end : ends_) close_if_open(end);
}

std::vector<std::string> Qemu::command_line(const Setup& setup) {
  auto words = tool::qemu_command_line(setup.kernel, setup.words, setup.memory_mib);
  if (!setup.initrd.empty()) words.insert(words.end(), {"-initrd", setup.initrd});
  if (setup.cable >= 0) {
    const auto fd = std::to_string(setup.cable);
    const auto mac = "52:54:00:00:00:0" + std::to_string(setup.number);
    words.insert(words.end(), {"-netdev", "dgram,id=n0,local.type=fd,local.str=" + fd, "-device",
                               "rtl8139,netdev=n0,mac=" + mac});
  }
  return words;
}

Qemu::Qemu(const Setup& setup) {
  int in[2];
  int out[2];
  if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) {
    throw std::runtime_error("no pipe");
  }
  auto words = command_line(setup);
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(in[0], STDIN_FILENO);
    ::dup2(out[1], STDOUT_FILENO);
    ::execvp(tool::kQemu, arguments.data());
    ::_exit(127);
  }
  ::close(in[0]);
  ::close(out[1]);
  in_ = in[1];
  out_ = out[0];
}

Qemu::~Qemu() {
  close_if_open(in_);
  close_if_open(out_);
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Qemu::say(const std::string& line) {
  const auto text = line + "\n";
  if (::write(in_, text.data(), text.size()) < 0) throw std::runtime_error("a machine is gone");
}

std::optional<std::string> Qemu::line_with(const std::string& words, double seconds) {
  using Clock = std::chrono::steady_clock;
  const auto until = Clock::now() + std::chrono::duration<double>(seconds);
  for (;;) {
    const auto left = std::chrono::duration<double>(until - Clock::now()).count();
    const auto line = next_line(std::max(left, 0.0));
    if (!line || line->find(words) != std::string::npos) return line;
  }
}

std::optional<std::string> Qemu::next_line(double seconds) {
  for (;;) {
    if (const auto end = unread_.find('\n'); end != std::string::npos) {
      auto line = unread_.substr(0, end);
      unread_.erase(0, end + 1);
      return line;
    }
    pollfd readable{out_, POLLIN, 0};
    if (::poll(&readable, 1, static_cast<int>(seconds * 1e3)) <= 0) return {};
    char bytes[4096];
    const auto count = ::read(out_, bytes, sizeof bytes);
    if (count <= 0) return {};
    unread_.append(bytes, static_cast<std::size_t>(count));
  }
}

double number_in(const std::string& line, const std::string& key) {
  const auto at = line.find("\"" + key + "\":");
  return at == std::string::npos ? 0 : std::atof(line.c_str() + at + key.size() + 3);
}

std::string initial_files(const std::string& init) {
  std::string archive;
  add_member(archive, "dev", 0040755, 0, "");
  add_member(archive, "dev/console", 0020600, 5 << 8 | 1, "");
  add_member(archive, "init", 0100755, 0, init);
  add_member(archive, "TRAILER!!!", 0, 0, "");
  return archive;
}

}  // namespace plurix::bench
