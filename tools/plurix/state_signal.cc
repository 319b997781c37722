#include "state_signal.h"

#include <csignal>

namespace plurix::tool {
namespace {

using Report = void (*)(void* context);
constinit volatile Report g_report = nullptr;
constinit void* volatile g_context = nullptr;

void handle(int) {
  if (g_report != nullptr) g_report(g_context);
}

}  // namespace

StateSignal::StateSignal(void (*report)(void* context), void* context) noexcept {
  g_context = context;
  g_report = report;
  struct sigaction action = {};
  action.sa_handler = handle;
  action.sa_flags = SA_ONSTACK | SA_RESTART;
  ::sigaction(SIGUSR2, &action, nullptr);
}

StateSignal::~StateSignal() { g_report = nullptr; }

}  // namespace plurix::tool
