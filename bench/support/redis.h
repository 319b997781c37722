// Redis as a peer to compare with: a server of our own, and a client that reads a counter and
// writes it back in an optimistic transaction.
#pragma once

#include <sys/types.h>
#include <memory>
#include <string>

#include "plurix/temporary_directory.h"

struct redisContext;

namespace plurix::bench {

/// Empty when Redis can be measured here, else why not.
std::string why_no_redis();

/// A server without persistence that listens on a unix socket, the fastest way to reach it. Gone
/// with this object.
class RedisServer {
 public:
  /// Throws std::runtime_error.
  RedisServer();
  ~RedisServer();
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  const std::string& socket_path() const { return socket_path_; }
  /// Restricts it to one CPU, or (-1) to none.
  void pin_to(int cpu) const;

 private:
  tool::TemporaryDirectory folder_;
  std::string socket_path_;
  pid_t pid_ = -1;
};

class RedisClient {
 public:
  /// Waits for the server to answer. Throws std::runtime_error.
  explicit RedisClient(const std::string& socket_path);
  ~RedisClient();
  RedisClient(const RedisClient&) = delete;
  RedisClient& operator=(const RedisClient&) = delete;

  /// WATCH, GET; MULTI, SET, EXEC: two round trips, since what can be sent together is. False when
  /// somebody else was first.
  bool increment(const std::string& key);

 private:
  redisContext* context_;
};

}  // namespace plurix::bench
