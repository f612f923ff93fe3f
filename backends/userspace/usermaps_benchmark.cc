// SPDX-License-Identifier: MIT
//
// Operations per second, beside the kernel's where bpf(2) is permitted: `ratio` is kernel time /
// ours. This program links libbpf as well, which the prefix of usermaps_* makes possible.
#include <benchmark/benchmark.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

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

// Room for a value of every possible CPU.
void* Values() {
  static thread_local std::vector<uint64_t> values(
      static_cast<size_t>(std::max(1, libbpf_num_possible_cpus())));
  return values.data();
}

void LookUp(const Api& api, int fd, uint32_t i) {
  const uint32_t key = i % kEntries;
  benchmark::DoNotOptimize(api.lookup(fd, &key, Values()));
}
void Update(const Api& api, int fd, uint32_t i) {
  const uint32_t key = i % kEntries;
  benchmark::DoNotOptimize(api.update(fd, &key, Values(), BPF_ANY));
}
// A key that is not there any more, in a map that is full.
void Evict(const Api& api, int fd, uint32_t i) {
  const uint32_t key = i % (16 * kEntries);
  benchmark::DoNotOptimize(api.update(fd, &key, Values(), BPF_ANY));
}
void PushAndPop(const Api& api, int fd, uint32_t /*i*/) {
  benchmark::DoNotOptimize(api.update(fd, nullptr, Values(), BPF_ANY));
  benchmark::DoNotOptimize(api.take(fd, nullptr, Values()));
}

constexpr Operation kOperations[] = {
    {"hash_lookup", BPF_MAP_TYPE_HASH, &LookUp},
    {"hash_update", BPF_MAP_TYPE_HASH, &Update},
    {"array_lookup", BPF_MAP_TYPE_ARRAY, &LookUp},
    {"queue_push_pop", BPF_MAP_TYPE_QUEUE, &PushAndPop},
    {"percpu_hash_lookup", BPF_MAP_TYPE_PERCPU_HASH, &LookUp},
    {"percpu_hash_update", BPF_MAP_TYPE_PERCPU_HASH, &Update},
    {"percpu_array_lookup", BPF_MAP_TYPE_PERCPU_ARRAY, &LookUp},
    {"percpu_array_update", BPF_MAP_TYPE_PERCPU_ARRAY, &Update},
    {"lru_hash_lookup", BPF_MAP_TYPE_LRU_HASH, &LookUp},
    {"lru_hash_update", BPF_MAP_TYPE_LRU_HASH, &Update},
    {"lru_hash_evict", BPF_MAP_TYPE_LRU_HASH, &Evict},
    {"lru_percpu_hash_evict", BPF_MAP_TYPE_LRU_PERCPU_HASH, &Evict},
    {"array_of_maps_lookup", BPF_MAP_TYPE_ARRAY_OF_MAPS, &LookUp},
    {"hash_of_maps_lookup", BPF_MAP_TYPE_HASH_OF_MAPS, &LookUp},
};

int MakeFilled(const Api& api, const Operation& operation) {
  const bool of_maps =
      operation.type == BPF_MAP_TYPE_ARRAY_OF_MAPS || operation.type == BPF_MAP_TYPE_HASH_OF_MAPS;
  const uint32_t key_size = operation.type == BPF_MAP_TYPE_QUEUE ? 0 : 4;
  bpf_map_create_opts opts{};
  opts.sz = sizeof opts;
  int inner = -1;
  if (of_maps) {
    inner = api.create(BPF_MAP_TYPE_ARRAY, "inner", 4, 8, 1, nullptr);
    opts.inner_map_fd = static_cast<uint32_t>(inner);
  }
  const int fd = api.create(operation.type, "bench", key_size, of_maps ? 4 : 8, kEntries, &opts);
  for (uint32_t key = 0; fd >= 0 && key_size != 0 && key < kEntries; ++key) {
    api.update(fd, &key, of_maps ? &inner : Values(), BPF_ANY);
  }
  if (inner >= 0) close(inner);
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
