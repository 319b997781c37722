#include <plurix/heap/type.h>
#include <plurix/transaction.h>

#include <algorithm>
#include <cstring>

namespace plurix::heap {
namespace {

constexpr std::size_t kMaxText = 1536;

constexpr Offset place_at(std::uint64_t place) noexcept {
  return offset_of(Regions::kTypes) + place * sizeof(Offset);
}

Offset place_of(std::uint64_t name_hash) noexcept { return place_at(name_hash % kWordsPerPage); }

constexpr std::string_view prefix(std::string_view text, std::size_t length) noexcept {
  return {text.data(), std::min(text.size(), length)};
}

/// The descriptor of the type of that name; 0 if there is none.
Offset find_by_name(Transaction& t, std::uint64_t name_hash) {
  auto at = t.load(place_of(name_hash));
  while (at != 0) {
    const auto* type = t.reading<TypeDescriptor>(at);
    if (type->name_hash == name_hash) return at;
    at = type->next;
  }
  return 0;
}

/// A descriptor being put together, before it has a place in the heap.
class Draft {
 public:
  explicit Draft(const TypeLayout& layout) : layout_(layout) {
    head_.type_hash = layout.type_hash;
    head_.name_hash = layout.name_hash;
    head_.layout_hash = layout.layout_hash;
    head_.size = layout.size;
    head_.alignment = layout.alignment;
    head_.runs = static_cast<std::uint16_t>(layout.links.size());
    head_.fields = static_cast<std::uint16_t>(layout.fields.size());
    head_.name_length = add_text(layout.name).second;
    for (std::size_t i = 0; i < layout.fields.size(); ++i) add_field(i, layout.fields[i]);
    head_.text_length = static_cast<std::uint16_t>(text_length_);
  }

  std::uint64_t bytes() const noexcept {
    return sizeof head_ + head_.runs * sizeof(LinkRun) + head_.fields * sizeof(TypeField) +
           text_length_;
  }

  void write(std::byte* to, Offset next) noexcept {
    head_.next = next;
    to = put(to, &head_, sizeof head_);
    to = put(to, layout_.links.begin(), head_.runs * sizeof(LinkRun));
    to = put(to, fields_, head_.fields * sizeof(TypeField));
    put(to, text_, text_length_);
  }

 private:
  static std::byte* put(std::byte* to, const void* from, std::size_t bytes) noexcept {
    std::memcpy(to, from, bytes);
    return to + bytes;
  }

  /// Where the text begins, and how much of it there was room for.
  std::pair<std::uint16_t, std::uint16_t> add_text(std::string_view text) noexcept {
    const auto length = std::min(text.size(), kMaxText - text_length_);
    std::memcpy(text_ + text_length_, text.data(), length);
    const auto at = text_length_;
    text_length_ += length;
    return {static_cast<std::uint16_t>(at), static_cast<std::uint16_t>(length)};
  }

  void add_field(std::size_t i, const FieldLayout& field) noexcept {
    const auto name = add_text(field.name);
    const auto type = add_text(prefix(field.type, 40));
    fields_[i] = {.hash = field.hash,
                  .offset = field.offset,
                  .size = field.size,
                  .name_at = name.first,
                  .name_length = name.second,
                  .type_at = type.first,
                  .type_length = type.second};
  }

  const TypeLayout& layout_;
  TypeDescriptor head_;
  TypeField fields_[detail::kMaxFields];
  char text_[kMaxText];
  std::size_t text_length_ = 0;
};

/// Puts words together in a fixed room.
class Words {
 public:
  explicit Words(std::span<char> room) noexcept : room_(room) { room_[0] = '\0'; }

  Words& add(std::string_view text) noexcept {
    const auto length = std::min(text.size(), room_.size() - 1 - used_);
    std::memcpy(room_.data() + used_, text.data(), length);
    used_ += length;
    room_[used_] = '\0';
    return *this;
  }

 private:
  std::span<char> room_;
  std::size_t used_ = 0;
};

/// The first field about which the two do not agree; the one of them that has it.
std::string_view first_difference(const TypeLayout& here, const TypeView& there) noexcept {
  const auto fields = there.fields();
  const auto common = std::min(here.fields.size(), fields.size());
  for (std::size_t i = 0; i < common; ++i) {
    const auto& mine = here.fields[i];
    if (mine.hash != fields[i].hash || mine.offset != fields[i].offset ||
        mine.name != there.name_of(fields[i])) {
      return mine.name;
    }
  }
  if (here.fields.size() > common) return here.fields[common].name;
  return fields.size() > common ? there.name_of(fields[common]) : std::string_view{};
}

TypeMismatch compare(const TypeLayout& here, const TypeView& there) noexcept {
  TypeMismatch mismatch;
  if (here.layout_hash == there.head().layout_hash) return mismatch;
  Words words(mismatch.words);
  words.add("the type ").add(prefix(here.name, 80)).add(" has another layout in the heap");
  const auto field = first_difference(here, there);
  if (!field.empty()) words.add(": they differ from field ").add(field).add(" on");
  return mismatch;
}

}  // namespace

TypeView::TypeView(Transaction& t, Offset descriptor) {
  if (descriptor == 0) return;
  const auto header = header_of(t, descriptor);
  PLURIX_ASSERT(header != 0);
  (void)t.reading_range(descriptor, body_bytes(t, header));
  head_ = t.reading<TypeDescriptor>(descriptor);
}

TypeMismatch compare_type(Transaction& t, const TypeLayout& layout) {
  const TypeView there(t, find_by_name(t, layout.name_hash));
  return there ? compare(layout, there) : TypeMismatch{};
}

void demand_layout(Transaction& t, Describe describe) {
  TypeLayout layout;
  describe(layout);
  const auto mismatch = compare_type(t, layout);
  if (!mismatch) return;
  Words(t.words()).add(mismatch.words);
  t.misuse(t.words().data());
}

Offset find_or_create_type(Transaction& t, std::uint64_t, Describe describe) {
  TypeLayout layout;
  describe(layout);
  if (layout.too_many_links) {
    Words(t.words())
        .add("the links in ")
        .add(layout.name)
        .add(" stand at more than 64 places; put them next to each other");
    t.misuse(t.words().data());
  }
  if (const auto found = find_by_name(t, layout.name_hash); found != 0) {
    const auto mismatch = compare(layout, TypeView(t, found));
    if (!mismatch) return found;
    Words(t.words()).add(mismatch.words);
    t.misuse(t.words().data());
  }
  Draft draft(layout);
  const auto body = allocate(t, {.bytes = draft.bytes(),
                                 .flags = Tag::kLinkless | Tag::kPinned,
                                 .placement = Placement::kReadOnly});
  const auto place = place_of(layout.name_hash);
  draft.write(t.writing_range(body, draft.bytes()), t.load(place));
  t.store(place, body);
  return body;
}

Offset first_type(Transaction& t, std::uint32_t place) { return t.load(place_at(place)); }

}  // namespace plurix::heap
