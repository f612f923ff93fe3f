// SPDX-License-Identifier: MIT
#include "runners/signals.h"

#include <signal.h>
#include <unistd.h>

#include <array>

namespace mapspec {
namespace {

std::atomic<bool> g_stop{false};
std::atomic<int> g_signal{0};
std::array<std::atomic<int>, 256> g_children{};
static_assert(std::atomic<int>::is_always_lock_free, "used in a signal handler");

void AskToStop(int signal) {
  int none = 0;
  g_signal.compare_exchange_strong(none, signal);
  g_stop.store(true);
}

void StopOrKill(int signal) {
  if (!g_stop.load()) {
    AskToStop(signal);
    return;
  }
  for (const std::atomic<int>& child : g_children) {
    if (const int pid = child.load(); pid > 0) kill(pid, SIGKILL);
  }
  _exit(130);
}

void Install(void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  // Without SA_RESTART: a poll(2) that waits for workers returns, so the stop is noticed at once.
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

}  // namespace

const std::atomic<bool>& StopFlag() { return g_stop; }
void RequestStop() { g_stop.store(true); }
int StopSignal() { return g_signal.load(); }

void InstallStopSignals() { Install(StopOrKill); }
void InstallWorkerSignals() {
  for (std::atomic<int>& child : g_children) child.store(0);
  Install(AskToStop);
}

void AddChildToKill(int pid) {
  for (std::atomic<int>& child : g_children) {
    int free_place = 0;
    if (child.compare_exchange_strong(free_place, pid)) return;
  }
}

void RemoveChildToKill(int pid) {
  for (std::atomic<int>& child : g_children) {
    int expected = pid;
    if (child.compare_exchange_strong(expected, 0)) return;
  }
}

}  // namespace mapspec
