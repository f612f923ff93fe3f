// SPDX-License-Identifier: MIT
//
// A library with a few functions of libbpf's low-level API that misbehaves when it is told to: each
// update whose flags are one of the letters below does what the letter stands for. Otherwise it
// keeps one value of eight bytes for all keys of all maps. For the tests of library:PATH.
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

uint64_t stored = 0;
bool present = false;

void SmashStack(volatile char* frame, int length) {
  for (int i = 0; i < length; ++i) frame[i] = 'x';
}

int Misbehave(uint64_t letter) {
  switch (letter) {
    case 'c':
      raise(SIGSEGV);
      break;
    case 'a':
      std::abort();
    case 'e':
      std::exit(0);
    case 'x':
      _exit(7);
    case 'h':
      for (volatile bool forever = true; forever;) {
      }
      break;
    case 's': {
      char frame[16];
      SmashStack(frame, 4096);
      break;
    }
    case 'o':
      std::puts("noise on stdout");
      std::fflush(stdout);
      break;
    case 'k':
      for (int fd = 0; fd < 4096; ++fd) close(fd);
      break;
    case 'g':
      for (int fd = 3; fd < 4096; ++fd) {
        if (write(fd, "garbage\n", 8) < 0) continue;
      }
      break;
    case 'p':
      return 5;
    case 'l':  // The convention of libbpf before 1.0.
      errno = ENOSPC;
      return -1;
    case 'f': {
      const pid_t child = fork();
      if (child == 0) {
        for (;;) pause();
      }
      std::abort();
    }
    default:
      break;
  }
  return 0;
}

}  // namespace

extern "C" {

int bpf_map_create(int, const char*, uint32_t, uint32_t, uint32_t, const void*) {
  return eventfd(0, EFD_CLOEXEC);
}

int bpf_map_update_elem(int, const void*, const void* value, uint64_t flags) {
  if (flags != 0) return Misbehave(flags);
  std::memcpy(&stored, value, sizeof(stored));
  present = true;
  return 0;
}

int bpf_map_lookup_elem(int, const void*, void* value) {
  if (!present) return -ENOENT;
  std::memcpy(value, &stored, sizeof(stored));
  return 0;
}

int bpf_map_lookup_elem_flags(int fd, const void* key, void* value, uint64_t flags) {
  auto* bytes = static_cast<char*>(value);
  if (flags == 'b') bytes[9] = 0x11;
  if (flags == 'f') bytes[-2] = 0x11;
  return bpf_map_lookup_elem(fd, key, value);
}

// Started by the dynamic linker, before anybody asks for anything.
__attribute__((constructor)) void MisbehaveAtLoad() {
  const char* letter = std::getenv("MAPSPEC_TEST_AT_LOAD");
  if (letter != nullptr) Misbehave(static_cast<uint64_t>(*letter));
}

}  // extern "C"
