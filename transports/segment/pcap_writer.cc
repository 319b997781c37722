#include "segment/medium.h"

#include <plurix/segment/pcap_writer.h>

namespace plurix::segment {
namespace {

// The file's layout: the draft standard draft-ietf-opsawg-pcap, sections 4 and 5.
struct FileHeader {
  std::uint32_t magic = 0xa1b23c4d;  // nanoseconds
  std::uint16_t major = 2;
  std::uint16_t minor = 4;
  std::uint32_t reserved[2] = {};
  std::uint32_t longest = 65'535;
  std::uint32_t link_type = 1;  // Ethernet
};
static_assert(sizeof(FileHeader) == 24);

struct RecordHeader {
  std::uint32_t seconds;
  std::uint32_t nanoseconds;
  std::uint32_t captured;
  std::uint32_t length;
};
static_assert(sizeof(RecordHeader) == 16);

}  // namespace

PcapWriter::PcapWriter(const std::string& path, std::uint64_t limit)
    : file_(std::fopen(path.c_str(), "we")), left_(limit) {
  if (file_ == nullptr) fail("cannot write " + path, -1, "Choose another file");
  const FileHeader header;
  std::fwrite(&header, sizeof header, 1, file_.get());
}

void PcapWriter::write(Bytes frame, std::int64_t ns) {
  const auto size = static_cast<std::uint32_t>(frame.size());
  if (sizeof(RecordHeader) + size > left_) {
    left_ = 0;
    return;
  }
  const RecordHeader header = {static_cast<std::uint32_t>(ns / 1'000'000'000),
                               static_cast<std::uint32_t>(ns % 1'000'000'000), size, size};
  std::fwrite(&header, sizeof header, 1, file_.get());
  std::fwrite(frame.data(), 1, frame.size(), file_.get());
  left_ -= sizeof header + size;
  ++frames_;
}

bool PcapWriter::flush() { return std::fflush(file_.get()) == 0 && std::ferror(file_.get()) == 0; }

}  // namespace plurix::segment
