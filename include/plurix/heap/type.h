// Type descriptors: what the heap says of a type. Each is an object of its own on read-only pages,
// made by the first node that uses the type, found through a table by name, and never changed,
// moved or freed.
#pragma once

#include <plurix/heap/layout.h>
#include <plurix/heap/type_layout.h>

#include <string_view>

namespace plurix {

class Transaction;

namespace heap {

/// A descriptor's body. Behind it: `runs` LinkRuns, `fields` TypeFields, and the text of all names.
struct TypeDescriptor {
  std::uint64_t type_hash = 0;  ///< of name, size and alignment
  std::uint64_t name_hash = 0;
  std::uint64_t layout_hash = 0;
  Offset next = 0;  ///< with the same place in the table
  std::uint64_t size = 0;
  std::uint32_t alignment = 0;
  std::uint16_t runs = 0;
  std::uint16_t fields = 0;
  std::uint16_t name_length = 0;
  std::uint16_t text_length = 0;  ///< of all names; the type's own comes first
  std::uint32_t reserved = 0;
};
static_assert(sizeof(TypeDescriptor) == 56);

struct TypeField {
  std::uint64_t hash = 0;
  std::uint32_t offset = 0;
  std::uint32_t size = 0;
  std::uint16_t name_at = 0;  ///< in the text
  std::uint16_t name_length = 0;
  std::uint16_t type_at = 0;
  std::uint16_t type_length = 0;
};
static_assert(sizeof(TypeField) == 24);

/// A descriptor in the heap, to look at. Valid inside the attempt that read it.
class TypeView {
 public:
  TypeView() noexcept = default;
  TypeView(Transaction& t, Offset descriptor);

  explicit operator bool() const noexcept { return head_ != nullptr; }
  const TypeDescriptor& head() const noexcept { return *head_; }
  std::string_view name() const noexcept { return {text(), head_->name_length}; }
  std::span<const LinkRun> links() const noexcept { return {runs(), head_->runs}; }
  std::span<const TypeField> fields() const noexcept { return {first_field(), head_->fields}; }
  std::string_view name_of(const TypeField& field) const noexcept {
    return {text() + field.name_at, field.name_length};
  }
  std::string_view type_of(const TypeField& field) const noexcept {
    return {text() + field.type_at, field.type_length};
  }

 private:
  const LinkRun* runs() const noexcept { return reinterpret_cast<const LinkRun*>(head_ + 1); }
  const TypeField* first_field() const noexcept {
    return reinterpret_cast<const TypeField*>(runs() + head_->runs);
  }
  const char* text() const noexcept {
    return reinterpret_cast<const char*>(first_field() + head_->fields);
  }

  const TypeDescriptor* head_ = nullptr;
};

/// How this program and the heap disagree about a type.
struct TypeMismatch {
  char words[192] = "";  ///< names the type and the field; empty: they agree

  explicit operator bool() const noexcept { return words[0] != '\0'; }
};

/// Compares the program's type with the heap's. No mismatch if the heap does not know the type.
TypeMismatch compare_type(Transaction& t, const TypeLayout& layout);

/// Misuse, naming type and field, if the heap knows the type with another layout. Makes nothing.
void demand_layout(Transaction& t, Describe describe);

/// The descriptor of a type, made if it is not there. Misuse if the heap's type of that name has
/// another layout; fails if the heap is full.
Offset find_or_create_type(Transaction& t, std::uint64_t type_hash, Describe describe);

/// The first descriptor at a place of the table (0 … kWordsPerPage-1), and the next one behind it.
Offset first_type(Transaction& t, std::uint32_t place);

}  // namespace heap
}  // namespace plurix
