#include "support/report.h"

#include <cstdio>

namespace plurix::bench {
namespace {

std::string number(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string aim_text(const Aim& aim) {
  if (aim.kind == Aim::Kind::kNone) return "";
  return (aim.kind == Aim::Kind::kAtMost ? "<= " : ">= ") + number("%g", aim.limit) +
         (aim.of_figure ? "" : " x");
}

// Three significant digits, whatever the size.
std::string figure_text(double value) {
  return number(value < 10 ? "%.2f" : value < 100 ? "%.1f" : "%.0f", value);
}

std::string json_number(double value) {
  return std::isfinite(value) ? number("%.6g", value) : "null";
}

std::string quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace

std::optional<bool> Row::met() const {
  const auto value = aim.of_figure ? figure : ratio();
  if (aim.kind == Aim::Kind::kNone || std::isnan(value)) return {};
  return aim.kind == Aim::Kind::kAtMost ? value <= aim.limit : value >= aim.limit;
}

Report::Report(const Options& options, std::string bench, std::string unit,
               std::string yardstick_is)
    : json_(options.json),
      bench_(std::move(bench)),
      unit_(std::move(unit)),
      yardstick_is_(std::move(yardstick_is)) {
  if (json_) return;
  std::printf("%s, in %s; yardstick: %s\n", bench_.c_str(), unit_.c_str(), yardstick_is_.c_str());
  std::printf("  %-58s %9s %9s %7s  %s\n", "", "figure", "yardstick", "ratio", "aim");
  std::fflush(stdout);
}

void Report::add(const Row& row) const {
  if (json_) return add_json(row);
  const auto met = row.met();
  const bool alone = row.yardstick == 0;
  std::printf("  %-58s %9s %9s %7s  %-8s %s\n", row.what.c_str(), figure_text(row.figure).c_str(),
              alone ? "" : figure_text(row.yardstick).c_str(),
              alone ? "" : number("%.2f", row.ratio()).c_str(), aim_text(row.aim).c_str(),
              !met   ? ""
              : *met ? "met"
                     : "MISSED");
  std::fflush(stdout);
}

void Report::add_json(const Row& row) const {
  const auto met = row.met();
  std::printf(
      "{\"bench\":%s,\"what\":%s,\"unit\":%s,\"figure\":%s,\"yardstick\":%s,\"yardstick_is\":%s,"
      "\"ratio\":%s,\"aim\":%s,\"met\":%s}\n",
      quoted(bench_).c_str(), quoted(row.what).c_str(), quoted(unit_).c_str(),
      json_number(row.figure).c_str(),
      json_number(row.yardstick == 0 ? NAN : row.yardstick).c_str(), quoted(yardstick_is_).c_str(),
      json_number(row.ratio()).c_str(), quoted(aim_text(row.aim)).c_str(),
      !met   ? "null"
      : *met ? "true"
             : "false");
  std::fflush(stdout);
}

void Report::skip(const std::string& what, const std::string& why) const {
  if (json_) {
    std::printf("{\"bench\":%s,\"what\":%s,\"skipped\":%s}\n", quoted(bench_).c_str(),
                quoted(what).c_str(), quoted(why).c_str());
  } else {
    std::printf("  %-58s not measured: %s\n", what.c_str(), why.c_str());
  }
  std::fflush(stdout);
}

void Report::note(const std::string& text) const {
  if (!json_) std::printf("  %s\n", text.c_str());
}

}  // namespace plurix::bench
