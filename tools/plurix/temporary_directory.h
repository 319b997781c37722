// TemporaryDirectory: a place for the files of one run, gone with it.
#pragma once

#include <filesystem>
#include <string>
#include <system_error>

#include <stdlib.h>

namespace plurix::tool {

class TemporaryDirectory {
 public:
  /// Throws std::filesystem::filesystem_error.
  TemporaryDirectory() {
    path_ = (std::filesystem::temp_directory_path() / "plurix-XXXXXX").string();
    if (::mkdtemp(path_.data()) == nullptr) {
      throw std::filesystem::filesystem_error("no temporary directory", path_,
                                              std::error_code(errno, std::generic_category()));
    }
  }
  ~TemporaryDirectory() {
    if (kept_) return;
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const noexcept { return path_; }

  /// It stays, for somebody to look at.
  void keep() noexcept { kept_ = true; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
  bool kept_ = false;
};

}  // namespace plurix::tool
