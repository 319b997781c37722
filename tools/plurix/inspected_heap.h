// InspectedHeap: what `plurix inspect` looks at: the heap of a running cluster, of which this
// process becomes a node for so long, or an image in a store.
#pragma once

#include <plurix/heap/image.h>
#include <plurix/posix/node.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "heap_look.h"

namespace plurix::tool {

/// What was asked for does not exist, or could not be read; in words.
class InspectFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class InspectedHeap {
 public:
  virtual ~InspectedHeap() = default;

  virtual std::uint64_t bytes() const = 0;

  /// Whose heap of which time, as the first keys of a line and as words.
  virtual Json about() const = 0;
  virtual std::string words() const = 0;

  /// The value of `look(Transaction&)`. Throws InspectFailure.
  template <class Look>
  auto read(Freshness freshness, Look look) {
    std::optional<decltype(look(std::declval<Transaction&>()))> value;
    run(freshness, [&](Transaction& t) { value = look(t); });
    return std::move(*value);
  }

 private:
  virtual void run(Freshness freshness, const std::function<void(Transaction&)>& look) = 0;
};

/// Joins the cluster. Throws what posix::Node throws.
std::unique_ptr<InspectedHeap> join_heap(posix::NodeOptions options);

/// Reads the image of that commit time, 0 for the newest. Throws InspectFailure, EnvironmentError.
std::unique_ptr<InspectedHeap> open_image(const std::string& directory, std::uint64_t time);

}  // namespace plurix::tool
