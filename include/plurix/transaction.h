// What the body of a transaction works with: `Transaction`, and `Ref<T>`, a reference to a heap
// object that is valid inside one attempt. Reading is `->`, writing is `.mut()->`.
//
// Every first access to a page in an attempt is recorded by comparing the page's stamp with the
// attempt's live stamp; a doomed attempt has no live stamp, so its next access takes the slow path
// and leaves the body. The fast path is one load and one compare.
#pragma once

#include <plurix/base/assert.h>
#include <plurix/base/mutation.h>
#include <plurix/heap/object.h>
#include <plurix/heap/root_block.h>

#include <atomic>
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>

namespace plurix {

class Transaction;

/// How new a read-only transaction's snapshot must be.
enum class Freshness : std::uint8_t {
  kSnapshot,  ///< some consistent state: no message, but perhaps an older one
  kLatest,    ///< contains every commit that ended before the transaction began: asks the token
              ///< holder
};

/// What a body that may refuse returns from `try_run`.
struct [[nodiscard]] Verdict {
  enum class Kind : std::uint8_t { kCommit, kCancel, kWait };
  Kind kind = Kind::kCommit;
  const char* reason = "";  ///< a literal, for kCancel
};

/// A local object that takes part in transactions: a driver, a screen.
template <class U>
concept Undoable = requires(U& u) {
  { u.undo() } noexcept;
  { u.committed() } noexcept;
};

/// A reference to a heap object, valid inside one attempt. Never stored in the heap (it has a
/// destructor, and heap objects may not have one).
template <class T>
class Ref {
 public:
  static_assert(check_heap_object<T>());

  Ref() noexcept = default;
  Ref(Transaction& t, std::uint64_t offset) noexcept : transaction_(&t), offset_(offset) {}
  Ref(const Ref&) noexcept = default;
  Ref& operator=(const Ref&) noexcept = default;
  ~Ref() {}  // NOLINT: not trivial on purpose, see above

  explicit operator bool() const noexcept { return transaction_ != nullptr; }

  /// Reads. May fetch the page; leaves the body if the attempt is doomed.
  const T* operator->() const;
  const T& operator*() const { return *operator->(); }

  /// Writes: takes the shadow image of the object's pages first. The pointer is valid until the end
  /// of the attempt.
  [[nodiscard]] T* mut() const;

  /// A part of the object as a reference of its own, so that only its pages count as read or
  /// written.
  template <class U, class C>
    requires std::is_base_of_v<C, T>
  Ref<U> field(U C::* member) const noexcept {
    return {*transaction_, offset_ + member_offset(member)};
  }

  /// Element `i` of an array member.
  template <class U, class C, std::size_t kCount>
    requires std::is_base_of_v<C, T>
  Ref<U> element(U (C::*member)[kCount], std::size_t i) const noexcept {
    PLURIX_ASSERT(i < kCount);
    return {*transaction_, offset_ + member_offset(member) + i * sizeof(U)};
  }

  /// Offset of the object from the heap's base, in bytes; the same on every node.
  std::uint64_t offset() const noexcept { return offset_; }

  friend bool operator==(const Ref& a, const Ref& b) noexcept {
    return a.offset_ == b.offset_ && (a.transaction_ == nullptr) == (b.transaction_ == nullptr);
  }

 private:
  template <class M, class C>
  static std::uint64_t member_offset(M C::* member) noexcept {
    // A heap object is plain data, so a member stands at the same place in every one.
    alignas(T) static constexpr std::byte kSample[sizeof(T)] = {};
    const auto* object = reinterpret_cast<const T*>(kSample);
    return static_cast<std::uint64_t>(
        reinterpret_cast<const std::byte*>(std::addressof(object->*member)) - kSample);
  }

  Transaction* transaction_ = nullptr;
  std::uint64_t offset_ = 0;
};

/// What the node does for a transaction off the fast path. Each function returns normally, or
/// leaves the body.
struct TransactionHost {
  void (*read)(void* node, std::uint64_t offset, std::uint64_t size);
  void (*write)(void* node, std::uint64_t offset, std::uint64_t size);
  void (*map)(void* node, std::uint64_t offset, std::uint64_t size, Access access);
  void (*fail)(void* node,
               const char* what);  ///< out of memory, out of names: ends the transaction
  void (*misuse)(void* node, const char* what);  ///< the program is wrong: error to the caller
};

/// Work for after the attempt. Bounded: a transaction registers few of them.
class HookList {
 public:
  static constexpr std::size_t kLimit = 32;
  static constexpr std::size_t kBytes = 48;

  template <class F>
  [[nodiscard]] bool push(F function) noexcept {
    static_assert(sizeof(F) <= kBytes && alignof(F) <= alignof(std::max_align_t),
                  "a hook captures at most 48 bytes: capture references");
    static_assert(std::is_trivially_copyable_v<F>,
                  "a hook captures by reference or plain values: it is copied as bytes");
    if (size_ == kLimit) return false;
    auto& hook = hooks_[size_++];
    std::construct_at(reinterpret_cast<F*>(hook.bytes), function);
    hook.call = [](void* bytes) { (*static_cast<F*>(bytes))(); };
    return true;
  }

  void run_forward() {
    for (std::size_t i = 0; i < size_; ++i) hooks_[i].call(hooks_[i].bytes);
  }
  void run_backward() {
    if (mutated("undo_in_order_of_registration")) return run_forward();
    for (std::size_t i = size_; i > 0; --i) hooks_[i - 1].call(hooks_[i - 1].bytes);
  }
  void clear() noexcept { size_ = 0; }
  bool empty() const noexcept { return size_ == 0; }

 private:
  struct Hook {
    alignas(std::max_align_t) std::byte bytes[kBytes];
    void (*call)(void*);
  };
  Hook hooks_[kLimit];
  std::size_t size_ = 0;
};

class Transaction {
 public:
  Transaction(const TransactionHost& host, void* node) noexcept : host_(host), node_(node) {}
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  /// The object of this name, created (value-initialised) on first use. A name that holds another
  /// type is misuse, reported in words. At most 39 characters.
  template <class T>
  Ref<T> root(std::string_view name);

  /// The object of this name, or null if there is none or it has another type.
  template <class T>
  Ref<T> find(std::string_view name);

  /// An object by its offset, as told by Ref::offset().
  template <class T>
  Ref<T> at(std::uint64_t offset) noexcept {
    return {*this, offset};
  }

  /// A plain pointer into the protected view, for code that cannot use Ref. From here on the
  /// attempt counts every page its node holds as read, because nobody sees what is followed from
  /// there; and when it is doomed it is left without running destructors.
  template <class T>
  const T* raw(const Ref<T>& ref) {
    host_.map(node_, ref.offset(), sizeof(T), Access::kRead);
    return reinterpret_cast<const T*>(view_ + ref.offset());
  }

  /// The same for writing, also by the operating system (`read`, `recv`, … into the object): the
  /// object's pages are opened and stay so until the attempt ends.
  template <class T>
  T* raw_mut(const Ref<T>& ref) {
    host_.map(node_, ref.offset(), sizeof(T), Access::kWrite);
    return reinterpret_cast<T*>(view_ + ref.offset());
  }

  Verdict commit() const noexcept { return {Verdict::Kind::kCommit, ""}; }
  Verdict cancel(const char* reason) const noexcept { return {Verdict::Kind::kCancel, reason}; }

  /// Undoes the attempt, sleeps until a page it has read is invalidated, and runs the body again.
  Verdict wait_for_change() const noexcept { return {Verdict::Kind::kWait, ""}; }

  /// Declares that this transaction writes nothing; a write is misuse from here on.
  void read_only(Freshness freshness) noexcept {
    read_only_ = true;
    freshness_ = freshness;
  }

  /// Runs once, after the commit. Order of registration.
  template <class F>
  void on_commit(F function) {
    if (!committed_.push(function))
      host_.fail(node_, "too many on_commit hooks in one transaction");
  }

  /// Runs when the attempt is aborted or cancelled. Reverse order of registration.
  template <class F>
  void undo(F function) {
    if (!undo_.push(function)) host_.fail(node_, "too many undo hooks in one transaction");
  }

  /// Lets a local object take part: its undo() or committed() is called at the end of the attempt.
  template <Undoable U>
  U& use(U& object) {
    on_commit([&object]() noexcept { object.committed(); });
    undo([&object]() noexcept { object.undo(); });
    return object;
  }

  /// Which execution of this body this is: 1, 2, …
  std::uint32_t attempt() const noexcept { return attempt_; }

  template <class T>
  const T* reading(std::uint64_t offset) {
    if (!recorded(read_stamps_, offset, sizeof(T))) host_.read(node_, offset, sizeof(T));
    return reinterpret_cast<const T*>(view_ + offset);
  }

  template <class T>
  T* writing(std::uint64_t offset) {
    if (!recorded(write_stamps_, offset, sizeof(T))) {
      if (read_only_) host_.misuse(node_, "a write in a transaction declared read-only");
      host_.write(node_, offset, sizeof(T));
    }
    return reinterpret_cast<T*>(frames_ + offset);
  }

 private:
  template <class, class, class, class, class>
  friend class Node;

  bool recorded(const std::uint64_t* stamps, std::uint64_t offset,
                std::uint64_t size) const noexcept {
    const auto live = live_stamp_->load(std::memory_order_relaxed);
    const auto last = page_of(offset + size - 1);
    for (auto page = page_of(offset); page <= last; ++page) {
      if (stamps[page] != live) [[unlikely]]
        return false;
    }
    return true;
  }

  struct Slot {
    Ref<NameEntry> entry;  ///< where the name is, or where it would go; null when the table is full
    bool found = false;
  };
  Slot look_up(std::string_view name);
  std::uint64_t create(std::string_view name, std::uint64_t type, std::uint64_t size,
                       std::uint64_t alignment, const Slot& slot);

  const TransactionHost& host_;
  void* node_;
  std::byte* view_ = nullptr;
  std::byte* frames_ = nullptr;
  std::uint64_t heap_bytes_ = 0;
  const std::uint64_t* read_stamps_ = nullptr;
  const std::uint64_t* write_stamps_ = nullptr;
  const std::atomic<std::uint64_t>* live_stamp_ = nullptr;
  HookList committed_;
  HookList undo_;
  std::uint32_t attempt_ = 0;
  bool read_only_ = false;
  Freshness freshness_ = Freshness::kSnapshot;
};

template <class T>
const T* Ref<T>::operator->() const {
  PLURIX_ASSERT(transaction_ != nullptr);
  return transaction_->reading<T>(offset_);
}

template <class T>
T* Ref<T>::mut() const {
  PLURIX_ASSERT(transaction_ != nullptr);
  return transaction_->writing<T>(offset_);
}

inline Transaction::Slot Transaction::look_up(std::string_view name) {
  for (PageIndex page = 1; page <= kNamePages; ++page) {
    const Ref<NamePage> table{*this, std::uint64_t{page} * kPageSize};
    const auto& entries = table->entries;
    for (std::size_t i = 0; i < std::size(entries); ++i) {
      const auto found = entries[i].is(name);
      if (found || entries[i].name[0] == '\0') return {table.element(&NamePage::entries, i), found};
    }
  }
  return {};
}

inline std::uint64_t Transaction::create(std::string_view name, std::uint64_t type,
                                         std::uint64_t size, std::uint64_t alignment,
                                         const Slot& slot) {
  if (!slot.entry) host_.fail(node_, "no room for another name: the table of roots is full");
  const Ref<RootBlock> block{*this, 0};
  const auto offset = place_object(block->next_free, size, alignment);
  if (offset + size > heap_bytes_) host_.fail(node_, "the heap is full");
  block.mut()->next_free = offset + size;
  ++block.mut()->names;
  auto* entry = slot.entry.mut();
  *entry = NameEntry{};
  std::memcpy(entry->name, name.data(), name.size());
  entry->type = type;
  entry->offset = offset;
  entry->size = size;
  return offset;
}

template <class T>
Ref<T> Transaction::root(std::string_view name) {
  static_assert(check_heap_object<T>());
  if (name.empty() || name.size() > NameEntry::kMaxName) {
    host_.misuse(node_, "a root's name has 1 to 39 characters");
  }
  const auto slot = look_up(name);
  if (slot.found) {
    if (slot.entry->type != type_hash<T>()) {
      host_.misuse(node_, "a root of this name exists and has another type");
    }
    return {*this, slot.entry->offset};
  }
  const Ref<T> object{*this, create(name, type_hash<T>(), sizeof(T), alignof(T), slot)};
  std::construct_at(object.mut());
  return object;
}

template <class T>
Ref<T> Transaction::find(std::string_view name) {
  static_assert(check_heap_object<T>());
  if (name.empty() || name.size() > NameEntry::kMaxName) return {};
  const auto slot = look_up(name);
  if (!slot.found || slot.entry->type != type_hash<T>()) return {};
  return {*this, slot.entry->offset};
}

}  // namespace plurix
