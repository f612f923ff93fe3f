// SPDX-License-Identifier: MIT
//
// What an ApiSession does with a map's descriptor as a file: mappings, and the loads and stores
// through them; poll(2), read(2), write(2).
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "backends/libbpf_api/api_session.h"

namespace mapspec {
namespace {

// How much of a mapping can be touched: a library may hand out a memfd, and what lies behind the
// last page of a file is SIGBUS. Descriptors of the kernel's maps are no regular files; the kernel
// checks lengths.
size_t BackedLength(int fd, uint64_t offset, size_t length) {
  struct stat status {};
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return length;
  const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  const uint64_t end = (static_cast<uint64_t>(status.st_size) + page - 1) / page * page;
  return static_cast<size_t>(std::min<uint64_t>(length, end > offset ? end - offset : 0));
}

}  // namespace

void ApiSession::Unmap(View* view) {
  if (view->address != nullptr) munmap(view->address, view->length);
  *view = View{};
}

ApiSession::View* ApiSession::ViewOf(uint16_t view) {
  return view < views_.size() && views_[view].address != nullptr ? &views_[view] : nullptr;
}

void ApiSession::Do(const Mmap& op, Outcome* out) {
  const int protection = (op.prot_read ? PROT_READ : 0) | (op.prot_write ? PROT_WRITE : 0);
  void* address =
      setup_->map_memory(nullptr, op.length, protection, op.shared ? MAP_SHARED : MAP_PRIVATE,
                         Fd(op.map), static_cast<off_t>(op.offset));
  const bool mapped = address != MAP_FAILED;
  if (!mapped) SetSystemResult(-1, out);
  if (op.result >= kMaxSlots) {
    if (mapped) munmap(address, op.length);
    return;
  }
  if (op.result >= views_.size()) views_.resize(op.result + size_t{1});
  View& view = views_[op.result];
  Unmap(&view);
  if (!mapped) return;
  // The CPUs of every Linux port that has bpf(2) let a writable page be read.
  view = {static_cast<uint8_t*>(address), op.length, BackedLength(Fd(op.map), op.offset, op.length),
          op.prot_read || op.prot_write, op.prot_write};
}

void ApiSession::Do(const MemRead& op, Outcome* out) {
  const View* view = ViewOf(op.view);
  Bytes& bytes = out->output.emplace<Bytes>();
  if (view == nullptr || !view->readable || op.offset > view->backed ||
      op.length > view->backed - op.offset) {
    out->error = Errno::kEFAULT;
    return;
  }
  if (op.length > kMaxBuffer) return NotRun("the load is above the 64 MiB a buffer may have", out);
  bytes.Assign(view->address + op.offset, op.length);
}

void ApiSession::Do(const MemWrite& op, Outcome* out) {
  const View* view = ViewOf(op.view);
  if (view == nullptr || !view->writable || op.offset > view->backed ||
      op.bytes.size() > view->backed - op.offset) {
    out->error = Errno::kEFAULT;
    return;
  }
  std::memcpy(view->address + op.offset, op.bytes.data(), op.bytes.size());
}

void ApiSession::Do(const Munmap& op, Outcome* out) {
  View* view = ViewOf(op.view);
  if (view == nullptr) {
    out->error = Errno::kEINVAL;
    return;
  }
  SetSystemResult(munmap(view->address, view->length), out);
  if (out->ok()) *view = View{};
}

void ApiSession::Do(const Poll& op, Outcome* out) {
  pollfd polled{Fd(op.map), POLLIN | POLLOUT, 0};
  SetSystemResult(poll(&polled, 1, 0), out);
  out->output = static_cast<uint32_t>(static_cast<uint16_t>(polled.revents));
}

void ApiSession::Do(const FdRead& op, Outcome* out) {
  uint64_t word = 0;
  SetSystemResult(read(Fd(op.map), &word, sizeof(word)), out);
}

void ApiSession::Do(const FdWrite& op, Outcome* out) {
  const uint64_t word = 0;
  SetSystemResult(write(Fd(op.map), &word, sizeof(word)), out);
}

}  // namespace mapspec
