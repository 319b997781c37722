#include "child_node.h"

#include <plurix/posix/monotonic_clock.h>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <system_error>

namespace plurix::tool {
namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

// In the child, between fork and exec: only what a signal handler may do.
[[noreturn]] void become(pid_t parent, int in, int out, int err, char* const* words) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);  // it has died already
  // Ctrl-C reaches the whole terminal; only the parent decides what it means.
  std::signal(SIGINT, SIG_IGN);
  ::dup2(in, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  if (err >= 0) ::dup2(err, STDERR_FILENO);
  ::execvp(words[0], words);
  ::_exit(127);
}

std::string describe(int status) {
  if (WIFEXITED(status)) return "ended with exit code " + std::to_string(WEXITSTATUS(status));
  const int signal = WTERMSIG(status);
  return "was killed by signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")";
}

NodeStatus status_in(const nlohmann::json& line) {
  const auto number = [&](const char* key) { return line.value(key, std::uint64_t{0}); };
  return {.ns = line.value("ns", std::int64_t{0}),
          .committed = number("committed"),
          .read_only = number("read_only"),
          .aborted = number("aborted"),
          .cancelled = number("cancelled"),
          .unknown = number("unknown"),
          .effects = number("effects"),
          .page_fetches = number("page_fetches"),
          .commit_time = number("commit_time"),
          .most_restarts = number("most_restarts"),
          .dropped = number("dropped"),
          .net_faults = fault_counters_in(line.value("net_faults", nlohmann::json::object())),
          .protocol = line.value("protocol", nlohmann::json::object()),
          .images = line.value("images", nlohmann::json::object())};
}

}  // namespace

Program Program::plurix(const std::string& command, const std::vector<std::string>& arguments) {
  Program program{.words = {"/proc/self/exe", command}, .done = 0};
  program.words.insert(program.words.end(), arguments.begin(), arguments.end());
  return program;
}

ChildNode::ChildNode(std::size_t index, const Program& program, const std::string& log)
    : index_(index), done_(program.done) {
  start(program, log);
}

ChildNode::~ChildNode() {
  if (pid_ > 0 && end_.empty()) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ::close(in_);
  ::close(out_);
}

void ChildNode::start(const Program& program, const std::string& log) {
  int to_child[2];
  int from_child[2];
  if (::pipe2(to_child, O_CLOEXEC) != 0) fail("no pipe to a node");
  if (::pipe2(from_child, O_CLOEXEC) != 0) fail("no pipe from a node");
  int err = -1;
  if (!log.empty()) err = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (!log.empty() && err < 0) fail("no log for a node");
  std::vector<char*> words;
  for (const auto& word : program.words) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const auto parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) fail("no process for a node");
  if (pid_ == 0) become(parent, to_child[0], from_child[1], err, words.data());
  if (err >= 0) ::close(err);
  ::close(to_child[0]);
  ::close(from_child[1]);
  in_ = to_child[1];
  out_ = from_child[0];
  lines_.emplace(out_);
}

void ChildNode::send(std::string_view command) { (void)write_line(in_, std::string(command)); }

void ChildNode::look() {
  while (const auto line = lines_->next()) {
    auto event = nlohmann::json::parse(*line, nullptr, false);
    if (event.is_object()) take_in(std::move(event));
  }
  if (lines_->closed() && end_.empty()) reap();
}

void ChildNode::take_in(nlohmann::json event) {
  const auto name = event.value("event", "");
  if (name == "time") return tell_time(event);
  if (name == "status" || name == "stopped") status_ = status_in(event);
  if (name != "status") events_.push_back(std::move(event));
}

// A machine compares its clock with ours, so that its history can be compared with others'.
void ChildNode::tell_time(const nlohmann::json& question) {
  const auto number = question.value("number", std::uint64_t{0});
  const auto ns = posix::MonotonicClock().now().ns;
  send("time " + std::to_string(number) + " " + std::to_string(ns));
}

void ChildNode::reap() {
  int status = 0;
  if (::waitpid(pid_, &status, 0) != pid_) return;
  end_ = describe(status);
  ended_well_ = WIFEXITED(status) && WEXITSTATUS(status) == done_;
}

std::optional<nlohmann::json> ChildNode::take(std::string_view event) {
  for (auto i = events_.begin(); i != events_.end(); ++i) {
    if (i->value("event", "") != event) continue;
    auto found = std::move(*i);
    events_.erase(i);
    return found;
  }
  return {};
}

}  // namespace plurix::tool
