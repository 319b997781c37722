// The name service: directories of names in the heap. A name leads to an object by a Link, so it
// follows the object when that is moved, and keeps it alive. Directories and entries stand on
// read-only pages of the node that made them: looking names up collides with nothing but changes of
// the same directory, and nodes that make names in different directories do not meet.
#pragma once

#include <plurix/base/bounded_vector.h>
#include <plurix/heap/link.h>

#include <optional>
#include <string_view>

namespace plurix {

/// One name in a directory.
struct NameEntry {
  static constexpr std::size_t kMaxName = 39;

  Link<NameEntry> next;  ///< in the same bucket
  AnyLink target;
  std::uint64_t type = 0;  ///< type_hash of the target
  char name[kMaxName + 1] = {};

  /// Compares by hand: a kernel has no string functions.
  bool is(std::string_view other) const noexcept {
    if (other.size() > kMaxName) return false;
    for (std::size_t i = 0; i < other.size(); ++i) {
      if (name[i] != other[i]) return false;
    }
    return name[other.size()] == '\0';
  }
};

struct Directory {
  static constexpr std::size_t kBuckets = 16;

  Link<NameEntry> buckets[kBuckets];
};

/// What a directory tells of one of its names.
struct NameListing {
  std::string_view name;
  std::uint64_t type = 0;    ///< type_hash
  std::uint64_t target = 0;  ///< offset of the object
  bool is_directory = false;
};

namespace heap {

/// What a name leads to: an object's body and its type_hash; 0 if the name does not exist.
struct Named {
  Offset target = 0;
  std::uint64_t type = 0;
};

enum class Existing : std::uint8_t { kRefuse, kReplace };

/// Whether the text is a path: parts of 1 to NameEntry::kMaxName characters with '/' between them;
/// one '/' in front is allowed.
bool is_path(std::string_view path) noexcept;

/// Misuse if the text is no path.
Named look_up(Transaction& t, std::string_view path);

/// Enters a name, making the directories before it. False if it exists and is not to be replaced;
/// misuse if one of the directories is something else.
bool publish(Transaction& t, std::string_view path, const Named& named, Existing existing);

/// Takes a name away. False if it does not exist, or is a directory with names in it.
bool remove_name(Transaction& t, std::string_view path);

/// Goes through the names of a directory, in no order. The directory must not change meanwhile.
class Listing {
 public:
  Listing(Transaction& t, std::string_view path);

  bool found() const noexcept { return directory_ != 0; }
  std::optional<NameListing> next();

 private:
  Transaction& t_;
  Offset directory_ = 0;
  std::size_t bucket_ = 0;
  Offset entry_ = 0;
};

/// "nodes/<id>/name", where each node's own names stand.
class OwnPath {
 public:
  OwnPath(NodeId node, std::string_view name) noexcept;
  std::string_view view() const noexcept { return {text_, length_}; }

 private:
  char text_[64] = "";
  std::size_t length_ = 0;
};

OwnPath own_path(Transaction& t, std::string_view name);

}  // namespace heap
}  // namespace plurix
