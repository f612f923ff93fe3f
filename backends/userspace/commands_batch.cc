// SPDX-License-Identifier: MIT
//
// Commands on many elements. Order of errors: option struct, descriptor, permission (read before
// write), then the map's own (524 where the type has no such command).
#include "backends/userspace/commands.h"
#include "backends/userspace/mutant.h"
#include "backends/userspace/usermaps.h"

namespace usermaps {
namespace {

enum class Direction { kRead, kWrite, kBoth };

int Run(int fd, Direction direction, int (Map::*operation)(const Batch&), Batch batch,
        const bpf_map_batch_opts* opts) {
  bpf_map_batch_opts options;
  const size_t known = offsetof(bpf_map_batch_opts, flags) + sizeof(options.flags);
  if (const int err = ReadOpts(opts, known, &options); err != 0) return err;
  if (batch.count == nullptr) return -EFAULT;
  batch.elem_flags = options.elem_flags;
  batch.flags = options.flags;
  const MapRef map(fd);
  if (map.error() != 0) return map.error();
  int err = direction != Direction::kWrite ? map.CheckRead() : 0;
  if (err == 0 && direction != Direction::kRead) err = map.CheckWrite();
  if (err == 0) err = ((*map).*operation)(batch);
  if (err == -kEnotsupp && MUTANT("generic.lookup_batch.unsupported/wrong-errno")) err = -EINVAL;
  if ((err == -EPERM || err == -EINVAL) && MUTANT("generic.call.refused-batch-keeps-count/zeroes"))
    *batch.count = 0;
  return err;
}

// Keys and values of update and delete are only read; Batch serves both directions.
void* Unconst(const void* pointer) { return const_cast<void*>(pointer); }

}  // namespace
}  // namespace usermaps

int usermaps_map_lookup_batch(int fd, void* in_batch, void* out_batch, void* keys, void* values,
                              __u32* count, const struct bpf_map_batch_opts* opts) {
  return usermaps::ReturnFrom([&] {
    return usermaps::Run(fd, usermaps::Direction::kRead, &usermaps::Map::LookupBatch,
                         {in_batch, out_batch, keys, values, count}, opts);
  });
}

int usermaps_map_lookup_and_delete_batch(int fd, void* in_batch, void* out_batch, void* keys,
                                         void* values, __u32* count,
                                         const struct bpf_map_batch_opts* opts) {
  return usermaps::ReturnFrom([&] {
    return usermaps::Run(fd, usermaps::Direction::kBoth, &usermaps::Map::LookupAndDeleteBatch,
                         {in_batch, out_batch, keys, values, count}, opts);
  });
}

int usermaps_map_update_batch(int fd, const void* keys, const void* values, __u32* count,
                              const struct bpf_map_batch_opts* opts) {
  return usermaps::ReturnFrom([&] {
    return usermaps::Run(
        fd, usermaps::Direction::kWrite, &usermaps::Map::UpdateBatch,
        {nullptr, nullptr, usermaps::Unconst(keys), usermaps::Unconst(values), count}, opts);
  });
}

int usermaps_map_delete_batch(int fd, const void* keys, __u32* count,
                              const struct bpf_map_batch_opts* opts) {
  return usermaps::ReturnFrom([&] {
    return usermaps::Run(fd, usermaps::Direction::kWrite, &usermaps::Map::DeleteBatch,
                         {nullptr, nullptr, usermaps::Unconst(keys), nullptr, count}, opts);
  });
}
