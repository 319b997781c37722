#include "support/redis.h"

#include "support/process.h"

#if defined(PLURIX_HAS_HIREDIS)

#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <cstdlib>
#include <stdexcept>

namespace plurix::bench {
namespace {

// One binary is the server and the tools, by the name it is called with. Debian ships it with the
// tools; the server's own package would also start a server of the system's, which nobody wants
// for a benchmark.
constexpr const char* kProgram = "/usr/bin/redis-check-rdb";
constexpr const char* kServerName = "redis-server";

struct FreeReply {
  void operator()(redisReply* reply) const { ::freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, FreeReply>;

Reply next_reply(redisContext* context) {
  void* reply = nullptr;
  if (::redisGetReply(context, &reply) != REDIS_OK) {
    throw std::runtime_error(std::string("redis: ") + context->errstr);
  }
  return Reply(static_cast<redisReply*>(reply));
}

}  // namespace

std::string why_no_redis() {
  return ::access(kProgram, X_OK) == 0 ? "" : "redis-server is not installed (redis-tools)";
}

RedisServer::RedisServer() {
  socket_path_ = folder_.file("socket");
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("fork failed");
  if (pid_ > 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  unpin();
  const int nowhere = ::open("/dev/null", O_RDWR);
  ::dup2(nowhere, 1);
  ::dup2(nowhere, 2);
  ::execl(kProgram, kServerName, "--port", "0", "--unixsocket", socket_path_.c_str(), "--save", "",
          "--appendonly", "no", "--dir", folder_.path().c_str(), nullptr);
  ::_exit(127);
}

RedisServer::~RedisServer() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void RedisServer::pin_to(int cpu) const {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (cpu < 0 || i == cpu) CPU_SET(static_cast<std::size_t>(i), &set);
  }
  ::sched_setaffinity(pid_, sizeof set, &set);
}

RedisClient::RedisClient(const std::string& socket_path) : context_(nullptr) {
  for (int i = 0; i < 500; ++i) {
    context_ = ::redisConnectUnix(socket_path.c_str());
    if (context_ != nullptr && context_->err == 0) return;
    if (context_ != nullptr) ::redisFree(context_);
    ::usleep(10'000);
  }
  throw std::runtime_error("redis-server does not answer");
}

RedisClient::~RedisClient() { ::redisFree(context_); }

bool RedisClient::increment(const std::string& key) {
  ::redisAppendCommand(context_, "WATCH %s", key.c_str());
  ::redisAppendCommand(context_, "GET %s", key.c_str());
  (void)next_reply(context_);
  const auto old = next_reply(context_);
  const auto value = old->type == REDIS_REPLY_STRING ? std::strtoll(old->str, nullptr, 10) : 0;
  ::redisAppendCommand(context_, "MULTI");
  ::redisAppendCommand(context_, "SET %s %lld", key.c_str(), value + 1);
  ::redisAppendCommand(context_, "EXEC");
  (void)next_reply(context_);
  (void)next_reply(context_);
  return next_reply(context_)->type == REDIS_REPLY_ARRAY;
}

}  // namespace plurix::bench

#else

namespace plurix::bench {

std::string why_no_redis() { return "built without hiredis (Debian: libhiredis-dev)"; }

RedisServer::RedisServer() = default;
RedisServer::~RedisServer() = default;
void RedisServer::pin_to(int) const {}
RedisClient::RedisClient(const std::string&) : context_(nullptr) {}
RedisClient::~RedisClient() = default;
bool RedisClient::increment(const std::string&) { return false; }

}  // namespace plurix::bench

#endif
