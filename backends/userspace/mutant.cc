// SPDX-License-Identifier: MIT
#include "backends/userspace/mutant.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <tuple>
#include <vector>

#include "backends/userspace/usermaps.h"
#include "backends/userspace/usermaps_prog.h"

#ifdef USERMAPS_MUTANTS

namespace usermaps {

// constinit: names register themselves from the static initialisers of other files.
constinit std::atomic<int> g_active_mutant{kNoMutant};

namespace {

std::vector<const char*>& Names() {
  static auto* names = new std::vector<const char*>;
  return *names;
}

}  // namespace

int RegisterMutant(const char* name) {
  std::vector<const char*>& names = Names();
  const int id = static_cast<int>(names.size());
  names.push_back(name);
  const char* chosen = std::getenv("USERMAPS_MUTANT");
  if (chosen != nullptr && std::string_view(chosen) == name) g_active_mutant.store(id);
  return id;
}

}  // namespace usermaps

int usermaps_set_mutant(const char* name) {
  if (name == nullptr || *name == '\0') {
    usermaps::g_active_mutant.store(usermaps::kNoMutant);
    return 0;
  }
  const std::vector<const char*>& names = usermaps::Names();
  for (size_t i = 0; i < names.size(); ++i) {
    if (std::strcmp(names[i], name) == 0) {
      usermaps::g_active_mutant.store(static_cast<int>(i));
      return 0;
    }
  }
  errno = ENOENT;
  return -ENOENT;
}

size_t usermaps_list_mutants(const char** names, size_t capacity) {
  // A static library is linked file by file: without these references the list would depend on
  // which functions the program happens to call.
  [[maybe_unused]] static const volatile auto everything =
      std::make_tuple(&usermaps_map_create, &usermaps_map_update_elem, &usermaps_map_update_batch,
                      &usermaps_map_freeze, &usermaps_mmap, &usermaps_prog_map_get);
  const std::vector<const char*>& all = usermaps::Names();
  for (size_t i = 0; i < all.size() && i < capacity; ++i) names[i] = all[i];
  return all.size();
}

#else

int usermaps_set_mutant(const char* name) {
  if (name == nullptr || *name == '\0') return 0;
  errno = ENOENT;
  return -ENOENT;
}

size_t usermaps_list_mutants(const char** /*names*/, size_t /*capacity*/) { return 0; }

#endif
