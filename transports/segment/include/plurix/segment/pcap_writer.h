// PcapWriter: frames into a file that tcpdump and Wireshark read (pcap, nanoseconds, Ethernet).
#pragma once

#include <plurix/concepts/transport.h>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

namespace plurix::segment {

class PcapWriter {
 public:
  /// Writes at most `limit` bytes, then nothing more. Throws SetupError.
  PcapWriter(const std::string& path, std::uint64_t limit);

  /// `ns`: since 1970. A frame that does not fit the limit any more is not written.
  void write(Bytes frame, std::int64_t ns);

  /// What has been written can be read. False: the disk is full, or the like.
  bool flush();

  std::uint64_t frames() const noexcept { return frames_; }

 private:
  struct Close {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
  };

  std::unique_ptr<std::FILE, Close> file_;
  std::uint64_t left_;
  std::uint64_t frames_ = 0;
};

}  // namespace plurix::segment
