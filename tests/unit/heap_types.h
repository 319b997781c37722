// Heap types that several tests use.
#pragma once

#include <plurix/transaction.h>

namespace plurix::testing {

struct Item {
  int value;
  Link<Item> next;
};

struct List {
  Link<Item> head;
  long size;
};

/// A vertex of any graph.
struct Vertex {
  long key;
  Link<Vertex> edges[4];
};

struct Graph {
  Link<Vertex> vertices[32];
};

/// 64 bytes without links.
struct Bytes64 {
  char bytes[64];
};

inline void push(Transaction& t, const Ref<List>& list, int value) {
  auto item = t.make<Item>(value);
  item.mut()->next = list->head;
  list.mut()->head = item;
  list.mut()->size++;
}

}  // namespace plurix::testing
