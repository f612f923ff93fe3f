// SPDX-License-Identifier: MIT
//
// Operations per second, beside the kernel's where bpf(2) is permitted: `ratio` is kernel time /
// ours. This program links libbpf as well, which the prefix of usermaps_* makes possible.
#include <benchmark/benchmark.h>
#include <bpf/bpf.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "backends/userspace/usermaps.h"

namespace {

constexpr uint32_t kEntries = 1024;

struct Api {
  decltype(&bpf_map_create) create;
  decltype(&bpf_map_update_elem) update;
  decltype(&bpf_map_lookup_elem) lookup;
  decltype(&bpf_map_lookup_and_delete_elem) take;
};
constexpr Api kKernel = {&bpf_map_create, &bpf_map_update_elem, &bpf_map_lookup_elem,
                         &bpf_map_lookup_and_delete_elem};
constexpr Api kOurs = {&usermaps_map_create, &usermaps_map_update_elem, &usermaps_map_lookup_elem,
                       &usermaps_map_lookup_and_delete_elem};

struct Operation {
  const char* name;
  bpf_map_type type;
  void (*run)(const Api&, int fd, uint32_t i);
};

constexpr Operation kOperations[] = {
    {"hash_lookup", BPF_MAP_TYPE_HASH,
     [](const Api& api, int fd, uint32_t i) {
       const uint32_t key = i % kEntries;
       uint64_t value;
       benchmark::DoNotOptimize(api.lookup(fd, &key, &value));
     }},
    {"hash_update", BPF_MAP_TYPE_HASH,
     [](const Api& api, int fd, uint32_t i) {
       const uint32_t key = i % kEntries;
       const uint64_t value = i;
       benchmark::DoNotOptimize(api.update(fd, &key, &value, BPF_ANY));
     }},
    {"array_lookup", BPF_MAP_TYPE_ARRAY,
     [](const Api& api, int fd, uint32_t i) {
       const uint32_t key = i % kEntries;
       uint64_t value;
       benchmark::DoNotOptimize(api.lookup(fd, &key, &value));
     }},
    {"queue_push_pop", BPF_MAP_TYPE_QUEUE, [](const Api& api, int fd, uint32_t i) {
       uint64_t value = i;
       benchmark::DoNotOptimize(api.update(fd, nullptr, &value, BPF_ANY));
       benchmark::DoNotOptimize(api.take(fd, nullptr, &value));
     }}};

int MakeFilled(const Api& api, const Operation& operation) {
  const uint32_t key_size = operation.type == BPF_MAP_TYPE_QUEUE ? 0 : 4;
  const int fd = api.create(operation.type, "bench", key_size, 8, kEntries, nullptr);
  if (fd < 0 || key_size == 0) return fd;
  for (uint32_t key = 0; key < kEntries; ++key) {
    const uint64_t value = key;
    api.update(fd, &key, &value, BPF_ANY);
  }
  return fd;
}

// Nanoseconds an operation takes in the kernel, one thread; 0: bpf(2) is not permitted.
double KernelNanoseconds(const Operation& operation) {
  const int fd = MakeFilled(kKernel, operation);
  if (fd < 0) return 0;
  constexpr uint32_t kCalls = 200000;
  const auto begin = std::chrono::steady_clock::now();
  for (uint32_t i = 0; i < kCalls; ++i) operation.run(kKernel, fd, i);
  const std::chrono::duration<double, std::nano> elapsed = std::chrono::steady_clock::now() - begin;
  close(fd);
  return elapsed.count() / kCalls;
}

void Run(benchmark::State& state, const Operation& operation, int fd, double kernel) {
  uint32_t i = static_cast<uint32_t>(state.thread_index()) * 7;
  const auto begin = std::chrono::steady_clock::now();
  for ([[maybe_unused]] auto _ : state) operation.run(kOurs, fd, i++);
  const std::chrono::duration<double, std::nano> elapsed = std::chrono::steady_clock::now() - begin;
  state.SetItemsProcessed(state.iterations());
  if (kernel == 0) return;
  const double ours = elapsed.count() / static_cast<double>(state.iterations());
  state.counters["ratio"] = benchmark::Counter(kernel / ours, benchmark::Counter::kAvgThreads);
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  for (const Operation& operation : kOperations) {
    const int fd = MakeFilled(kOurs, operation);
    const double kernel = KernelNanoseconds(operation);
    benchmark::RegisterBenchmark(operation.name, [&operation, fd, kernel](benchmark::State& state) {
      Run(state, operation, fd, kernel);
    })->ThreadRange(1, 2);
  }
  benchmark::RunSpecifiedBenchmarks();
}
