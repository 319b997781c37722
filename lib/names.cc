#include <plurix/heap/names.h>
#include <plurix/transaction.h>

#include <cstring>

namespace plurix::heap {
namespace {

/// The next part of a path, taken from its front.
std::string_view take_part(std::string_view& path) noexcept {
  if (path.starts_with('/')) path.remove_prefix(1);
  std::size_t length = 0;
  while (length < path.size() && path[length] != '/') ++length;
  const std::string_view part(path.data(), length);
  path.remove_prefix(part.size());
  return part;
}

bool is_name(std::string_view part) noexcept {
  if (part.empty() || part.size() > NameEntry::kMaxName) return false;
  for (const char c : part) {
    if (c == '\0') return false;  // would end it
  }
  return true;
}

std::uint64_t hash_of(std::string_view name) noexcept {
  std::uint64_t hash = 0;
  for (const char c : name) hash = mix(hash, static_cast<unsigned char>(c));
  return hash;
}

constexpr Offset kRootSlot = offset_of(Regions::kRoots);

/// The place of a name in a directory: its entry, and the link that leads to it (or would).
struct Place {
  Offset link = 0;
  Offset entry = 0;
};

Place find_in(Transaction& t, Offset directory, std::string_view name) {
  auto link = directory + (hash_of(name) % Directory::kBuckets) * sizeof(Link<NameEntry>);
  for (;;) {
    const auto entry = t.load(link) & ~kTargetFlags;
    if (entry == 0 || t.reading<NameEntry>(entry)->is(name)) return {link, entry};
    link = entry;  // `next` is its first member
  }
}

Named named_by(Transaction& t, Offset entry) {
  const auto* read = t.reading<NameEntry>(entry);
  return {read->target.target(), read->type};
}

AnyLink* target_link(Transaction& t, Offset entry) { return &t.writing<NameEntry>(entry)->target; }

void check_path(Transaction& t, std::string_view path) {
  if (!is_path(path)) t.misuse("the parts of a name have 1 to 39 characters each");
}

/// The root directory, 0 before the first name was made.
Offset root_directory(Transaction& t) { return t.load(kRootSlot) & ~kTargetFlags; }

Offset make_root_directory(Transaction& t) {
  const auto directory = t.make_in<Directory>(Placement::kReadOnly);
  set_link(t, kRootSlot, directory.offset(), 0);
  return directory.offset();
}

void enter(Transaction& t, const Place& place, std::string_view name, const Named& named) {
  const auto entry = t.make_in<NameEntry>(Placement::kReadOnly);
  auto* fields = entry.mut();
  std::memcpy(fields->name, name.data(), name.size());
  fields->type = named.type;
  fields->target.assign(named.target, 0);
  set_link(t, place.link, entry.offset(), 0);
}

/// The directory `name` in another one, made if it is not there.
Offset open_directory(Transaction& t, Offset directory, std::string_view name) {
  const auto place = find_in(t, directory, name);
  if (place.entry != 0) {
    const auto named = named_by(t, place.entry);
    if (named.type != type_hash<Directory>()) {
      t.misuse("a part of a name before the last one is no directory");
    }
    return named.target;
  }
  const auto made = t.make_in<Directory>(Placement::kReadOnly);
  enter(t, place, name, {made.offset(), type_hash<Directory>()});
  return made.offset();
}

bool is_empty(Transaction& t, Offset directory) {
  for (const auto& bucket : t.reading<Directory>(directory)->buckets) {
    if (bucket) return false;
  }
  return true;
}

/// The directory a path ends in, or that of its last part with `parent`; 0 if there is none.
Offset walk(Transaction& t, std::string_view& path, bool parent) {
  auto directory = root_directory(t);
  while (directory != 0 && !path.empty()) {
    auto rest = path;
    const auto part = take_part(rest);
    if (parent && rest.empty()) break;
    path = rest;
    const auto place = find_in(t, directory, part);
    const auto named = place.entry == 0 ? Named{} : named_by(t, place.entry);
    directory = named.type == type_hash<Directory>() ? named.target : 0;
  }
  return directory;
}

}  // namespace

bool is_path(std::string_view path) noexcept {
  do {
    if (!is_name(take_part(path))) return false;
  } while (!path.empty());
  return true;
}

Named look_up(Transaction& t, std::string_view path) {
  check_path(t, path);
  const auto directory = walk(t, path, true);
  if (directory == 0) return {};
  const auto place = find_in(t, directory, take_part(path));
  return place.entry == 0 ? Named{} : named_by(t, place.entry);
}

bool publish(Transaction& t, std::string_view path, const Named& named, Existing existing) {
  check_path(t, path);
  if (named.target == 0) t.misuse("a name for a null Ref");
  if (named.type == type_hash<Directory>()) t.misuse("a second name for a directory");
  auto directory = root_directory(t);
  if (directory == 0) directory = make_root_directory(t);
  auto part = take_part(path);
  while (!path.empty()) {
    directory = open_directory(t, directory, part);
    part = take_part(path);
  }
  const auto place = find_in(t, directory, part);
  if (place.entry == 0) {
    enter(t, place, part, named);
    return true;
  }
  if (existing == Existing::kRefuse) return false;
  const auto before = named_by(t, place.entry);
  if (before.type == type_hash<Directory>() && !is_empty(t, before.target)) {
    t.misuse("the name of a directory that is not empty cannot be given to an object");
  }
  t.writing<NameEntry>(place.entry)->type = named.type;
  target_link(t, place.entry)->assign(named.target, 0);
  return true;
}

bool remove_name(Transaction& t, std::string_view path) {
  check_path(t, path);
  const auto directory = walk(t, path, true);
  if (directory == 0) return false;
  const auto place = find_in(t, directory, take_part(path));
  if (place.entry == 0) return false;
  const auto named = named_by(t, place.entry);
  const bool is_directory = named.type == type_hash<Directory>();
  if (is_directory && !is_empty(t, named.target)) return false;
  set_link(t, place.link, t.load(place.entry), 0);
  free_object(t, place.entry);
  if (is_directory) free_object(t, named.target);
  return true;
}

Listing::Listing(Transaction& t, std::string_view path) : t_(t) {
  if (path == "/") path = {};
  if (!path.empty()) check_path(t, path);
  directory_ = walk(t, path, false);
}

std::optional<NameListing> Listing::next() {
  while (entry_ == 0 && bucket_ < Directory::kBuckets) {
    entry_ = t_.reading<Directory>(directory_)->buckets[bucket_++].target();
  }
  if (entry_ == 0) return {};
  const auto* entry = t_.reading<NameEntry>(entry_);
  entry_ = entry->next.target();
  return NameListing{.name = entry->name,
                     .type = entry->type,
                     .target = entry->target.target(),
                     .is_directory = entry->type == type_hash<Directory>()};
}

OwnPath::OwnPath(NodeId node, std::string_view name) noexcept {
  const auto add = [this](std::string_view text) {
    for (const char c : text) {
      if (length_ < sizeof text_) text_[length_++] = c;
    }
  };
  const char digits[] = {static_cast<char>('0' + node / 10), static_cast<char>('0' + node % 10)};
  add("nodes/");
  add({digits, sizeof digits});
  add("/");
  add(name);
}

OwnPath own_path(Transaction& t, std::string_view name) {
  if (!is_name(name)) t.misuse("the parts of a name have 1 to 39 characters each");
  return {t.node_id(), name};
}

}  // namespace plurix::heap
