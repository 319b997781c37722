#include "support/durable_peers.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#if PLURIX_HAS_LMDB
#include <lmdb.h>
#endif
#if PLURIX_HAS_ROCKSDB
#include <rocksdb/c.h>
#endif

namespace plurix::bench {
namespace {

constexpr std::size_t kPage = 4096;

std::string output_of(const std::string& command) {
  std::string text;
  std::FILE* pipe = ::popen(command.c_str(), "re");
  if (pipe == nullptr) throw std::runtime_error("no shell");
  std::array<char, 4096> part;
  while (const auto got = std::fread(part.data(), 1, part.size(), pipe)) {
    text.append(part.data(), got);
  }
  (void)::pclose(pipe);
  return text;
}

// The number behind `key` in that section of fio's JSON.
double number_in(const std::string& json, const std::string& section, const std::string& key) {
  const auto begin = json.find("\"" + section + "\" : {");
  const auto found = begin == std::string::npos ? begin : json.find("\"" + key + "\"", begin);
  if (found == std::string::npos) throw std::runtime_error("fio did not say how fast it was");
  return std::strtod(json.c_str() + json.find(':', found) + 1, nullptr);
}

double fio(const std::string& folder, std::uint64_t bytes, const std::string& direction) {
  const auto json =
      output_of("fio --name=raw --filename='" + folder + "/fio' --rw=" + direction +
                " --bs=1M --direct=1 --ioengine=libaio --iodepth=4 --end_fsync=1" +
                " --size=" + std::to_string(bytes) + " --output-format=json 2>/dev/null");
  return number_in(json, direction, "bw_bytes") / 1e6;
}

// Bytes that no store can make smaller.
class Pages {
 public:
  const char* page(std::uint32_t number) {
    std::memcpy(bytes_.data(), &number, sizeof number);
    ++round_;
    std::memcpy(bytes_.data() + 8, &round_, sizeof round_);
    return bytes_.data();
  }

 private:
  std::uint64_t round_ = 0;
  std::array<char, kPage> bytes_ = {};
};

#if PLURIX_HAS_LMDB
class Lmdb : public DurablePeer {
 public:
  Lmdb(const std::string& folder, std::uint32_t pages) {
    std::filesystem::create_directory(folder);
    ok(mdb_env_create(&env_));
    ok(mdb_env_set_mapsize(env_, std::size_t{pages} * kPage * 6 + (64U << 20)));
    ok(mdb_env_open(env_, folder.c_str(), 0, 0644));
  }
  ~Lmdb() override { mdb_env_close(env_); }

  void put(std::uint32_t pages) override {
    MDB_txn* transaction = nullptr;
    ok(mdb_txn_begin(env_, nullptr, 0, &transaction));
    MDB_dbi table = 0;
    ok(mdb_dbi_open(transaction, nullptr, MDB_INTEGERKEY, &table));
    for (std::uint32_t i = 0; i < pages; ++i) {
      MDB_val key{sizeof i, &i};
      MDB_val value{kPage, const_cast<char*>(pages_.page(i))};
      ok(mdb_put(transaction, table, &key, &value, 0));
    }
    ok(mdb_txn_commit(transaction));
  }

  std::string name() const override { return "LMDB"; }

 private:
  static void ok(int result) {
    if (result != 0) throw std::runtime_error(std::string("LMDB: ") + mdb_strerror(result));
  }
  MDB_env* env_ = nullptr;
  Pages pages_;
};
#endif

#if PLURIX_HAS_ROCKSDB
class RocksDb : public DurablePeer {
 public:
  explicit RocksDb(const std::string& folder) : options_(rocksdb_options_create()) {
    rocksdb_options_set_create_if_missing(options_, 1);
    rocksdb_options_set_compression(options_, rocksdb_no_compression);
    char* error = nullptr;
    database_ = rocksdb_open(options_, folder.c_str(), &error);
    ok(error);
    rocksdb_writeoptions_set_sync(writing_, 1);
  }
  ~RocksDb() override {
    rocksdb_close(database_);
    rocksdb_writeoptions_destroy(writing_);
    rocksdb_options_destroy(options_);
  }

  void put(std::uint32_t pages) override {
    auto* batch = rocksdb_writebatch_create();
    for (std::uint32_t i = 0; i < pages; ++i) {
      rocksdb_writebatch_put(batch, reinterpret_cast<const char*>(&i), sizeof i, pages_.page(i),
                             kPage);
    }
    char* error = nullptr;
    rocksdb_write(database_, writing_, batch, &error);
    rocksdb_writebatch_destroy(batch);
    ok(error);
  }

  std::string name() const override { return "RocksDB with WAL"; }

 private:
  static void ok(const char* error) {
    if (error != nullptr) throw std::runtime_error(std::string("RocksDB: ") + error);
  }
  rocksdb_options_t* options_;
  rocksdb_writeoptions_t* writing_ = rocksdb_writeoptions_create();
  rocksdb_t* database_ = nullptr;
  Pages pages_;
};
#endif

}  // namespace

std::string why_no_fio() {
  return output_of("command -v fio").empty() ? "there is no fio here (apt-get install fio)" : "";
}

double fio_write(const std::string& folder, std::uint64_t bytes) {
  return fio(folder, bytes, "write");
}
double fio_read(const std::string& folder, std::uint64_t bytes) {
  return fio(folder, bytes, "read");
}

std::vector<std::unique_ptr<DurablePeer>> durable_peers([[maybe_unused]] const std::string& folder,
                                                        [[maybe_unused]] std::uint32_t pages) {
  std::vector<std::unique_ptr<DurablePeer>> peers;
#if PLURIX_HAS_LMDB
  peers.push_back(std::make_unique<Lmdb>(folder + "/lmdb", pages));
#endif
#if PLURIX_HAS_ROCKSDB
  peers.push_back(std::make_unique<RocksDb>(folder + "/rocksdb"));
#endif
  return peers;
}

std::vector<std::string> missing_durable_peers() {
  std::vector<std::string> names;
#if !PLURIX_HAS_LMDB
  names.emplace_back("LMDB");
#endif
#if !PLURIX_HAS_ROCKSDB
  names.emplace_back("RocksDB with WAL");
#endif
  return names;
}

}  // namespace plurix::bench
