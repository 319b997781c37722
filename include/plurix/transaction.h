// What the body of a transaction works with: `Transaction`, and `Ref<T>`, a reference to a heap
// object that is valid inside one attempt. Reading is `->`, writing is `.mut()->`.
//
// Every first access to a page in an attempt is recorded by comparing the page's stamp with the
// attempt's live stamp; a doomed attempt has no live stamp, so its next access takes the slow path
// and leaves the body. The fast path is one load and one compare.
#pragma once

#include <plurix/base/assert.h>
#include <plurix/base/mutation.h>
#include <plurix/heap/allocator.h>
#include <plurix/heap/link.h>
#include <plurix/heap/names.h>
#include <plurix/heap/object.h>
#include <plurix/heap/relocate.h>
#include <plurix/heap/type.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

namespace plurix {

class Transaction;

template <class T>
struct Array;
using String = Array<char>;

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
  Ref(std::nullptr_t) noexcept {}  // NOLINT: written like a null pointer
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
  friend bool operator==(const Ref& a, std::nullptr_t) noexcept { return !a; }

 private:
  template <class M, class C>
  static std::uint64_t member_offset(M C::* member) noexcept {
    return heap::offset_in(detail::sample<T>(), detail::sample<T>().*member);
  }

  Transaction* transaction_ = nullptr;
  std::uint64_t offset_ = 0;
};

/// An object of `count` elements of one type, which stand behind it. Made by
/// Transaction::make_array; its elements are reached through Ref<Array<T>>.
template <class T>
struct Array {
  using Element = T;
  static constexpr std::size_t kAlignment = alignof(T) > 8 ? alignof(T) : 8;
  static constexpr std::size_t kFirst = kAlignment;  ///< where the elements begin

  std::uint64_t count;
};

template <class T>
inline constexpr bool kIsArray = false;
template <class T>
inline constexpr bool kIsArray<Array<T>> = true;

/// A reference to an array. An element is a Ref of its own, so that only its pages count as read or
/// written.
template <class T>
class Ref<Array<T>> {
 public:
  Ref() noexcept = default;
  Ref(std::nullptr_t) noexcept {}  // NOLINT: written like a null pointer
  Ref(Transaction& t, std::uint64_t offset) noexcept : transaction_(&t), offset_(offset) {}
  Ref(const Ref&) noexcept = default;
  Ref& operator=(const Ref&) noexcept = default;
  ~Ref() {}  // NOLINT: not trivial on purpose: a Ref is not stored in the heap

  explicit operator bool() const noexcept { return transaction_ != nullptr; }
  std::uint64_t offset() const noexcept { return offset_; }

  std::size_t size() const;

  /// Element `i`; an index out of range stops the process.
  Ref<T> operator[](std::size_t i) const {
    PLURIX_ASSERT(i < size());
    return {*transaction_, offset_ + Array<T>::kFirst + i * sizeof(T)};
  }

  /// All elements, read or written together.
  std::span<const T> elements() const;
  [[nodiscard]] std::span<T> mut_elements() const;

  /// The characters of a String.
  std::string_view text() const
    requires std::is_same_v<T, char>
  {
    return {elements().data(), elements().size()};
  }

  friend bool operator==(const Ref& a, const Ref& b) noexcept {
    return a.offset_ == b.offset_ && (a.transaction_ == nullptr) == (b.transaction_ == nullptr);
  }

 private:
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

  // ---- objects

  /// A new object, T(args...), for this node to write. It is garbage until something links to it.
  template <class T, class... Args>
  Ref<T> make(Args&&... args) {
    return make_in<T>(Placement::kReadWrite, std::forward<Args>(args)...);
  }

  /// The same on pages of another kind.
  template <class T, class... Args>
  Ref<T> make_in(Placement placement, Args&&... args);

  /// `count` value-initialised elements, together one object.
  template <class T>
  Ref<Array<T>> make_array(std::size_t count, Placement placement = Placement::kReadWrite);

  /// A text as one object.
  Ref<String> make_string(std::string_view text, Placement placement = Placement::kReadWrite);

  /// Takes an object's memory back. Its own links are cleared and weak links to it too; while
  /// another link leads to it that is misuse.
  template <class T>
  void free(const Ref<T>& object) {
    heap::free_object(*this, object.offset());
  }

  /// Moves an object to pages of this node. All links to it are fixed, also names; every older Ref
  /// to it is not to be used any more.
  template <class T>
  [[nodiscard]] Ref<T> relocate(const Ref<T>& object) {
    return {*this, heap::relocate(*this, object.offset())};
  }

  /// From now on nodes that link to this object do not collide by that.
  template <class T>
  void expect_many_links(const Ref<T>& object) {
    heap::segment_chain(*this, object.offset());
  }

  // ---- names: "list", "shop/customers"; a part has 1 to 39 characters

  /// The object of this name, created (value-initialised) on first use, and the directories before
  /// it. A name that holds another type is misuse, reported in words.
  template <class T>
  Ref<T> root(std::string_view path);

  /// The object of this name, or null if there is none or it has another type.
  template <class T>
  Ref<T> find(std::string_view path);

  /// Gives an object a name. False if the name is taken.
  template <class T>
  [[nodiscard]] bool publish(std::string_view path, const Ref<T>& object) {
    return heap::publish(*this, path, {object.offset(), type_hash<T>()}, heap::Existing::kRefuse);
  }

  /// Gives a name to an object, whatever it named before.
  template <class T>
  void replace(std::string_view path, const Ref<T>& object) {
    (void)heap::publish(*this, path, {object.offset(), type_hash<T>()}, heap::Existing::kReplace);
  }

  /// Takes a name away; the object stays while something links to it. False if there was none, or
  /// it is a directory that is not empty.
  bool remove_name(std::string_view path) { return heap::remove_name(*this, path); }

  /// Calls `visit(NameListing)` for each name in a directory, "" for the first. False if there is
  /// no such directory.
  template <class Visit>
  bool list_names(std::string_view path, Visit visit);

  /// As `root`, but each node has its own.
  template <class T>
  Ref<T> own_root(std::string_view name) {
    return root<T>(heap::own_path(*this, name).view());
  }

  /// An object by its offset, as told by Ref::offset().
  template <class T>
  Ref<T> at(std::uint64_t offset) noexcept {
    return {*this, offset};
  }

  /// A plain pointer into the protected view, for code that cannot use Ref. From here on the
  /// attempt counts every page its node holds as read, because nobody sees what is followed from
  /// there; and when it is doomed it is left without running destructors. The elements of an array
  /// begin `Array<T>::kFirst` bytes behind the pointer. Misuse if the Ref is null.
  template <class T>
  const T* raw(const Ref<T>& ref) {
    host_.map(node_, ref.offset(), bytes_of(ref), Access::kRead);
    return reinterpret_cast<const T*>(view_ + ref.offset());
  }

  /// The same for writing, also by the operating system (`read`, `recv`, … into the object): the
  /// object's pages are opened and stay so until the attempt ends.
  template <class T>
  T* raw_mut(const Ref<T>& ref) {
    refuse_if_read_only();
    host_.map(node_, ref.offset(), bytes_of(ref), Access::kWrite);
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

  /// The node that runs it.
  NodeId node_id() const noexcept { return self_; }

  // ---- what the heap is made of: checked access to bytes and words by their offset

  template <class T>
  const T* reading(std::uint64_t offset) {
    if (!recorded(read_stamps_, offset, sizeof(T))) host_.read(node_, offset, sizeof(T));
    return reinterpret_cast<const T*>(frames_ + offset);
  }

  template <class T>
  T* writing(std::uint64_t offset) {
    if (!recorded(write_stamps_, offset, sizeof(T))) {
      open(offset, sizeof(T));
    }
    return reinterpret_cast<T*>(frames_ + offset);
  }

  /// The same for a range, and for one aligned word, which never straddles pages.
  const std::byte* reading_range(std::uint64_t offset, std::uint64_t size) {
    if (size != 0 && !recorded(read_stamps_, offset, size)) host_.read(node_, offset, size);
    return frames_ + offset;
  }
  std::byte* writing_range(std::uint64_t offset, std::uint64_t size) {
    if (size != 0 && !recorded(write_stamps_, offset, size)) open(offset, size);
    return frames_ + offset;
  }
  std::uint64_t load(std::uint64_t offset) {
    if (!word_recorded(read_stamps_, offset)) [[unlikely]]
      host_.read(node_, offset, sizeof(std::uint64_t));
    return *reinterpret_cast<const std::uint64_t*>(frames_ + offset);
  }
  void store(std::uint64_t offset, std::uint64_t word) {
    if (!word_recorded(write_stamps_, offset)) [[unlikely]]
      open(offset, sizeof word);
    *reinterpret_cast<std::uint64_t*>(frames_ + offset) = word;
  }

  /// Makes pages writable that will be written soon, all at once.
  void open(std::uint64_t offset, std::uint64_t size) {
    refuse_if_read_only();
    host_.write(node_, offset, size);
  }

  /// Where a pointer into the frames or the view points to. Misuse if into neither.
  std::uint64_t offset_of(const void* pointer);

  /// Ends the transaction: for want of room, or because the program is wrong.
  [[noreturn]] void fail(const char* what) {
    host_.fail(node_, what);
    PLURIX_ASSERT(!"the body was left");
    __builtin_unreachable();
  }
  [[noreturn]] void misuse(const char* what) {
    host_.misuse(node_, what);
    PLURIX_ASSERT(!"the body was left");
    __builtin_unreachable();
  }

  /// The descriptor of T in the heap, made on first use.
  template <class T>
  std::uint64_t type() {
    constexpr auto kHash = type_hash<T>();
    const auto& known = known_types_[kHash % kKnownTypes];
    if (known.hash == kHash) [[likely]]
      return known.descriptor;
    return learn_type(kHash, heap::find_or_create_type(*this, kHash, &heap::describe<T>));
  }

  /// Misuse, naming type and field, if the heap's objects of type T (or of elements of an array T)
  /// have another layout than this program's.
  template <class T>
  void check_layout() {
    if constexpr (kIsArray<T>) {
      (void)type<typename T::Element>();
    } else {
      (void)type<T>();
    }
  }

  /// The same for several types at once, without making descriptors: what a program does when it
  /// comes to a heap that others have filled.
  template <class... Types>
  void check_layouts() {
    (heap::demand_layout(*this, &heap::describe<Types>), ...);
  }

  /// Pages the heap has.
  PageIndex pages() const noexcept { return page_of(heap_bytes_); }

  /// The newest commit that this execution has seen.
  CommitTime snapshot() const noexcept { return snapshot_; }

  /// This node's NodeState, 0 if not known yet. Forgotten, like the types, when an execution that
  /// has made one is taken back.
  std::uint64_t known_state() const noexcept { return known_state_; }
  void know_state(std::uint64_t offset) noexcept {
    known_state_ = offset;
    learned_ = true;
  }

  /// Condemned objects to which weak links have led in this execution. False if there is no room
  /// for another one. See heap::follow_weak_link.
  bool note_condemned(std::uint64_t body) noexcept {
    if (read_only_) return true;  // stores no link
    if (condemned_count_ == std::size(condemned_)) return false;
    condemned_[condemned_count_++] = body;
    return true;
  }
  bool has_condemned() const noexcept { return condemned_count_ != 0; }
  template <class Visit>
  void take_condemned(Visit visit) {
    while (condemned_count_ != 0) visit(condemned_[--condemned_count_]);
  }

  /// Room for a sentence that is put together.
  std::span<char> words() noexcept { return words_; }

 private:
  template <class, class, class, class, class>
  friend class Node;
  friend class HeapImage;

  /// heap::allocate where nothing has to be looked for: the block fits the hole that is being
  /// filled, on pages that this execution writes already. 0 otherwise.
  std::uint64_t allocate_in_line(std::uint64_t bytes, std::uint64_t alignment, std::uint64_t type,
                                 Placement placement) {
    if (known_state_ == 0 || !word_recorded(write_stamps_, known_state_)) return 0;
    auto* state = reinterpret_cast<heap::NodeState*>(frames_ + known_state_);
    auto& own = state->of[static_cast<std::size_t>(placement)];
    auto& cursor = own.cursor[bytes > heap::kSmallBlock ? 1 : 0];
    const auto block = heap::place_block(cursor.at, cursor.end, bytes, alignment);
    if (block == 0 || !word_recorded(write_stamps_, block)) return 0;
    heap::carve(frames_ + (block & ~std::uint64_t{kPageSize - 1}), cursor, block, bytes,
                {heap::Tag::object(bytes, placement, self_, 0).word(), type, 0});
    return block + sizeof(heap::ObjectHeader);
  }

  /// Of an object that is handed out as a plain pointer.
  template <class T>
  std::uint64_t bytes_of(const Ref<T>& ref) {
    if (!ref) misuse("a plain pointer to what a null Ref leads to");
    if constexpr (kIsArray<T>) {
      return T::kFirst + load(ref.offset()) * sizeof(typename T::Element);
    } else {
      return sizeof(T);
    }
  }

  void refuse_if_read_only() {
    if (read_only_) misuse("a write in a transaction declared read-only");
  }

  bool word_recorded(const std::uint64_t* stamps, std::uint64_t offset) const noexcept {
    return stamps[page_of(offset)] == live_stamp_->load(std::memory_order_relaxed);
  }

  struct KnownType {
    std::uint64_t hash = 0;
    std::uint64_t descriptor = 0;
  };
  static constexpr std::size_t kKnownTypes = 64;

  void begin(NodeId self, CommitTime snapshot, Epoch epoch) noexcept {
    if (self != self_ || epoch != known_epoch_) {
      learned_ = true;
      forget();
    }
    self_ = self;
    snapshot_ = snapshot;
    known_epoch_ = epoch;
    learned_ = false;
    condemned_count_ = 0;
  }

  std::uint64_t learn_type(std::uint64_t hash, std::uint64_t descriptor) noexcept {
    learned_ = true;
    known_types_[hash % kKnownTypes] = {hash, descriptor};
    return descriptor;
  }

  /// What was learned may have been made by an execution that is taken back now.
  void forget() noexcept {
    if (!learned_) return;
    for (auto& known : known_types_) known = {};
    known_state_ = 0;
  }

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
  bool learned_ = false;  ///< in this execution, in known_types_ or known_state_
  Freshness freshness_ = Freshness::kSnapshot;
  NodeId self_ = kNoNode;
  CommitTime snapshot_;
  Epoch known_epoch_ = 0;
  std::uint64_t known_state_ = 0;
  KnownType known_types_[kKnownTypes];
  std::uint64_t condemned_[8] = {};
  std::uint32_t condemned_count_ = 0;
  char words_[192] = "";
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

template <class T>
std::size_t Ref<Array<T>>::size() const {
  PLURIX_ASSERT(transaction_ != nullptr);
  return transaction_->load(offset_);
}

template <class T>
std::span<const T> Ref<Array<T>>::elements() const {
  const auto count = size();
  const auto* bytes = transaction_->reading_range(offset_ + Array<T>::kFirst, count * sizeof(T));
  return {reinterpret_cast<const T*>(bytes), count};
}

template <class T>
std::span<T> Ref<Array<T>>::mut_elements() const {
  const auto count = size();
  auto* bytes = transaction_->writing_range(offset_ + Array<T>::kFirst, count * sizeof(T));
  return {reinterpret_cast<T*>(bytes), count};
}

inline std::uint64_t Transaction::offset_of(const void* pointer) {
  const auto address = reinterpret_cast<std::uintptr_t>(pointer);
  const auto in_frames = address - reinterpret_cast<std::uintptr_t>(frames_);
  if (in_frames < heap_bytes_) [[likely]]
    return in_frames;
  const auto in_view = address - reinterpret_cast<std::uintptr_t>(view_);
  if (in_view < heap_bytes_) return in_view;
  misuse("a Link outside the heap: only a member of a heap object can be assigned");
}

template <class T, class... Args>
Ref<T> Transaction::make_in(Placement placement, Args&&... args) {
  static_assert(check_heap_object<T>());
  static_assert(!kIsArray<T>, "an array is made by make_array, a text by make_string");
  if constexpr (!heap::is_large(sizeof(T))) {
    const auto body =
        allocate_in_line(heap::block_bytes(sizeof(T)), alignof(T), type<T>(), placement);
    if (body != 0) [[likely]] {
      std::construct_at(reinterpret_cast<T*>(frames_ + body), std::forward<Args>(args)...);
      return {*this, body};
    }
  }
  const Ref<T> object{*this, heap::allocate(*this, {.bytes = sizeof(T),
                                                    .alignment = alignof(T),
                                                    .type = type<T>(),
                                                    .placement = placement})};
  std::construct_at(object.mut(), std::forward<Args>(args)...);
  return object;
}

template <class T>
Ref<Array<T>> Transaction::make_array(std::size_t count, Placement placement) {
  static_assert(check_heap_object<T>());
  if (count > (heap_bytes_ / sizeof(T))) fail("the heap is full");
  constexpr auto kFirst = Array<T>::kFirst;
  const auto body = heap::allocate(*this, {.bytes = kFirst + count * sizeof(T),
                                           .alignment = Array<T>::kAlignment,
                                           .type = type<T>(),
                                           .flags = heap::Tag::kArray,
                                           .placement = placement});
  auto* bytes = writing_range(body, kFirst + count * sizeof(T));
  std::construct_at(reinterpret_cast<std::uint64_t*>(bytes), count);
  auto* elements = reinterpret_cast<T*>(bytes + kFirst);
  for (std::size_t i = 0; i < count; ++i) std::construct_at(elements + i);
  return {*this, body};
}

inline Ref<String> Transaction::make_string(std::string_view text, Placement placement) {
  const auto string = make_array<char>(text.size(), placement);
  const auto room = string.mut_elements();
  for (std::size_t i = 0; i < text.size(); ++i) room[i] = text[i];
  return string;
}

template <class T>
Ref<T> Transaction::root(std::string_view path) {
  static_assert(check_heap_object<T>());
  const auto named = heap::look_up(*this, path);
  if (named.target != 0) {
    if (named.type != type_hash<T>()) {
      if constexpr (!kIsArray<T>) check_layouts<T>();  // perhaps it is this type, of another size
      misuse("a root of this name exists and has another type");
    }
    check_layout<T>();
    return {*this, named.target};
  }
  const auto object = make<T>();
  (void)heap::publish(*this, path, {object.offset(), type_hash<T>()}, heap::Existing::kRefuse);
  return object;
}

template <class T>
Ref<T> Transaction::find(std::string_view path) {
  static_assert(check_heap_object<T>());
  if (!heap::is_path(path)) return {};
  const auto named = heap::look_up(*this, path);
  if (named.target == 0) return {};
  if (named.type != type_hash<T>()) {
    if constexpr (!kIsArray<T>) check_layouts<T>();  // perhaps it is this type, of another size
    return {};
  }
  check_layout<T>();
  return {*this, named.target};
}

template <class Visit>
bool Transaction::list_names(std::string_view path, Visit visit) {
  heap::Listing listing(*this, path);
  if (!listing.found()) return false;
  while (const auto name = listing.next()) visit(*name);
  return true;
}

}  // namespace plurix
