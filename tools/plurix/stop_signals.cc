#include "stop_signals.h"

#include <csignal>

namespace plurix::tool {
namespace {

constinit volatile std::sig_atomic_t g_asked = 0;
using Stop = void (*)(void* context);
constinit volatile Stop g_stop = nullptr;
constinit void* volatile g_context = nullptr;

void handle(int) {
  if (g_asked != 0 && g_stop != nullptr) g_stop(g_context);
  g_asked = 1;
}

void install(void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = SA_ONSTACK;  // no SA_RESTART: a wait shall end
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

}  // namespace

StopSignals::StopSignals(void (*stop)(void*), void* context) noexcept {
  g_context = context;
  g_stop = stop;
  install(handle);
}

StopSignals::~StopSignals() { g_stop = nullptr; }

bool stop_asked() noexcept { return g_asked != 0; }

}  // namespace plurix::tool
