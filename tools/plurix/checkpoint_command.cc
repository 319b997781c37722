#include "checkpoint_command.h"

#include <plurix/checkpoint/image_store.h>
#include <plurix/posix/environment_error.h>
#include <plurix/posix/file_block_store.h>

#include <unistd.h>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "exit_codes.h"

namespace plurix::tool {
namespace {

using checkpoint::ConstBlock;
using checkpoint::ImageEntry;
using Store = checkpoint::ImageStore<posix::FileBlockStore>;

constexpr auto kFooter = R"(An image is named by its commit time; without one the newest is meant.

Examples:
  plurix checkpoint list --dir D
  plurix checkpoint diff --dir D 1200 1431
  plurix checkpoint export --dir D --image 1200 heap.bin
  plurix checkpoint restore --dir D --image 1200     (the next pageserver goes on from it))";

struct Arguments {
  std::string directory;
  std::uint64_t image = 0;  ///< 0: the newest
  std::uint64_t other = 0;
  std::string file;
  bool json = false;
};

/// What stops a command, in words.
struct Trouble {
  std::string words;
};

/// The store of a directory, open.
class Opened {
 public:
  Opened(const std::string& directory, posix::FileAccess access)
      : device_(posix::store_file_in(directory, access), access), store_(device_) {
    if (const auto words = store_.open(); !words.empty()) throw Trouble{words};
  }
  Store& operator*() noexcept { return store_; }
  Store* operator->() noexcept { return &store_; }

  const ImageEntry& image(std::uint64_t time) {
    const auto* found = time == 0 ? store_.newest() : store_.find(time);
    if (found != nullptr) return *found;
    throw Trouble{time == 0 ? "there is no image yet"
                            : "there is no image of commit time " + std::to_string(time) +
                                  "; `plurix checkpoint list` shows those there are"};
  }

 private:
  posix::FileBlockStore device_;
  Store store_;
};

/// A line that is written over, on a terminal only.
class ProgressBar {
 public:
  ProgressBar(const char* what, std::uint64_t total)
      : what_(what), total_(total), shown_(::isatty(STDERR_FILENO) == 1) {}
  ~ProgressBar() {
    if (shown_) std::fprintf(stderr, "\r\033[K");
  }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void add() {
    ++done_;
    if (!shown_ || done_ % 1024 != 0) return;
    constexpr std::uint64_t kWidth = 40;
    const auto full = static_cast<int>(total_ == 0 ? kWidth : done_ * kWidth / total_);
    std::fprintf(stderr, "\r%s [%.*s%*s] %llu of %llu pages", what_, full,
                 "########################################", static_cast<int>(kWidth) - full, "",
                 static_cast<unsigned long long>(done_), static_cast<unsigned long long>(total_));
  }
  std::uint64_t done() const noexcept { return done_; }

 private:
  const char* what_;
  std::uint64_t total_;
  std::uint64_t done_ = 0;
  bool shown_;
};

std::string when(std::int64_t unix_ns) {
  const std::time_t seconds = unix_ns / 1'000'000'000;
  std::tm parts = {};
  char text[32] = "";
  ::gmtime_r(&seconds, &parts);
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
  return text;
}

nlohmann::ordered_json to_json(const ImageEntry& image) {
  return {{"time", image.time},
          {"epoch", image.epoch},
          {"previous", image.previous},
          {"pages", image.high_water},
          {"pages_written", image.pages_written},
          {"pages_known", image.pages_known},
          {"pages_snooped", image.pages_snooped},
          {"duration_us", image.duration_us},
          {"taken_unix_ns", image.taken_unix_ns}};
}

/// In percent; `of_none` where there was nothing.
double share(std::uint32_t part, std::uint32_t whole, double of_none) {
  return whole == 0 ? of_none : 100.0 * part / whole;
}

/// What an image takes on the disk, with what it shares with others.
std::uint64_t stored_bytes(Opened& store, const ImageEntry& image) {
  std::uint64_t bytes = 0;
  if (const auto words = store->measure(image, bytes); !words.empty()) throw Trouble{words};
  return bytes;
}

int list(const Arguments& arguments) {
  Opened store(arguments.directory, posix::FileAccess::kReadOnly);
  if (arguments.json) {
    auto images = nlohmann::ordered_json::array();
    for (const auto& image : store->images()) {
      images.push_back(to_json(image));
      images.back()["stored_bytes"] = stored_bytes(store, image);
    }
    std::cout << nlohmann::ordered_json{{"images", images}}.dump() << "\n";
    return kDone;
  }
  std::printf("%12s %6s %10s %10s %9s %9s %9s %9s  %s\n", "commit time", "epoch", "heap pages",
              "written", "known", "snooped", "MB", "ms", "taken (UTC)");
  for (const auto& image : store->images()) {
    std::printf("%12llu %6u %10u %10u %8.0f%% %8.0f%% %9.1f %9.1f  %s\n",
                static_cast<unsigned long long>(image.time), image.epoch, image.high_water,
                image.pages_written, share(image.pages_known, image.pages_written, 100),
                share(image.pages_snooped, image.pages_written, 0),
                static_cast<double>(stored_bytes(store, image)) / 1e6, image.duration_us / 1000.0,
                when(image.taken_unix_ns).c_str());
  }
  return kDone;
}

int verify(const Arguments& arguments) {
  Opened store(arguments.directory, posix::FileAccess::kReadOnly);
  int result = kDone;
  for (const auto& image : store->images()) {
    if (arguments.image != 0 && image.time != arguments.image) continue;
    const auto words = store->verify(image);
    std::cout << "image " << image.time << ": " << (words.empty() ? "whole" : words) << "\n";
    if (!words.empty()) result = kFailed;
  }
  if (arguments.image != 0) (void)store.image(arguments.image);
  return result;
}

/// Pages whose contents differ, or which only one of the two images has.
int diff(const Arguments& arguments) {
  Opened store(arguments.directory, posix::FileAccess::kReadOnly);
  checkpoint::PageMap maps[2];
  const std::uint64_t times[] = {arguments.image, arguments.other};
  for (int i = 0; i < 2; ++i) {
    if (const auto words = store->load_map(store.image(times[i]), maps[i]); !words.empty()) {
      throw Trouble{words};
    }
  }
  const auto pages = std::max(maps[0].size(), maps[1].size());
  for (auto& map : maps) map.resize(pages);
  std::size_t differing = 0;
  for (std::size_t page = 0; page < pages; ++page) {
    const auto& a = maps[0][page];
    const auto& b = maps[1][page];
    const bool same = a == b || (a.block != 0 && b.block != 0 && a.crc32c == b.crc32c);
    if (same) continue;
    ++differing;
    std::cout << page << (a.block == 0 ? " new" : b.block == 0 ? " gone" : " changed") << "\n";
  }
  std::cout << differing << " of " << pages << " pages differ\n";
  return kDone;
}

int export_image(const Arguments& arguments) {
  Opened store(arguments.directory, posix::FileAccess::kReadOnly);
  const auto& image = store.image(arguments.image);
  std::ofstream out(arguments.file, std::ios::binary | std::ios::trunc);
  if (!out) throw Trouble{arguments.file + " cannot be written"};
  ProgressBar progress("exporting", image.high_water);
  const auto words = store->read_image(image, [&](PageIndex page, ConstBlock bytes) {
    out.seekp(static_cast<std::streamoff>(std::uint64_t{page} * kPageSize));
    out.write(reinterpret_cast<const char*>(bytes.data()), kPageSize);
    progress.add();
  });
  if (!words.empty()) throw Trouble{words};
  if (!out.flush()) throw Trouble{arguments.file + " cannot be written"};
  std::cout << "image " << image.time << ": " << progress.done() << " of " << image.high_water
            << " pages were ever written; the rest of " << arguments.file << " is zero\n";
  return kDone;
}

int restore(const Arguments& arguments) {
  Opened store(arguments.directory, posix::FileAccess::kReadWrite);
  const auto image = store.image(arguments.image);
  if (auto words = store->verify(image); !words.empty()) throw Trouble{words};
  if (auto words = store->promote(image.time); !words.empty()) throw Trouble{words};
  std::cout << "image " << image.time << " is whole; the next pageserver goes on from it\n";
  return kDone;
}

int attempt(const char* name, int (*command)(const Arguments&), const Arguments& arguments) {
  try {
    return command(arguments);
  } catch (const Trouble& trouble) {
    std::cerr << "plurix checkpoint " << name << ": " << trouble.words << "\n";
    return kFailed;
  } catch (const posix::EnvironmentError& error) {
    std::cerr << "plurix checkpoint " << name << ": " << error.what() << "\n";
    return kNotFit;
  } catch (const std::exception& error) {
    std::cerr << "plurix checkpoint " << name << ": " << error.what() << "\n";
    return kFailed;
  }
}

}  // namespace
}  // namespace plurix::tool

void add_checkpoint_command(CLI::App& app, int& exit_code) {
  using namespace plurix::tool;
  CLI::App* all = app.add_subcommand("checkpoint", "Look at the images in a directory");
  const auto arguments = std::make_shared<Arguments>();
  all->require_subcommand(1);
  all->footer(kFooter);
  const auto add = [&](const char* name, const char* what, int (*command)(const Arguments&)) {
    CLI::App* sub = all->add_subcommand(name, what);
    sub->add_option("--dir", arguments->directory, "The directory of the PageServer")->required();
    sub->callback(
        [name, command, arguments, &exit_code] { exit_code = attempt(name, command, *arguments); });
    return sub;
  };
  add("list", "Which images there are", list)->add_flag("--json", arguments->json, "As JSON");
  add("verify", "Read all of them, every checksum", verify)
      ->add_option("--image", arguments->image, "Only the one of this commit time");
  CLI::App* two = add("diff", "The pages in which two images differ", diff);
  two->add_option("A", arguments->image, "Commit time of one")->required();
  two->add_option("B", arguments->other, "Commit time of the other")->required();
  CLI::App* out =
      add("export", "Write the heap of an image into a file, page by page", export_image);
  out->add_option("--image", arguments->image, "Its commit time");
  out->add_option("FILE", arguments->file, "The file")->required();
  add("restore", "Make an image the newest one", restore)
      ->add_option("--image", arguments->image, "Its commit time")
      ->required();
}
