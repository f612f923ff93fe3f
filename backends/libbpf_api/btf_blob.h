// SPDX-License-Identifier: MIT
//
// The BTF objects that scripts ask for, as bytes for BPF_BTF_LOAD (oracle/operation.h, BtfLoad).
// Pure. Source: Documentation/bpf/btf.rst.
#ifndef BACKENDS_LIBBPF_API_BTF_BLOB_H_
#define BACKENDS_LIBBPF_API_BTF_BLOB_H_

#include <cstdint>
#include <vector>

#include "oracle/operation.h"

namespace mapspec {

std::vector<uint8_t> MakeBtf(const BtfLoad& load);

// What BPF_PROG_LOAD wants to know of a program with a callback: that both of its functions are
// static, by type ids of this object.
std::vector<uint8_t> MakeCallbackBtf();
inline constexpr uint32_t kBtfMainFunction = 3, kBtfCallbackFunction = 4;

}  // namespace mapspec

#endif  // BACKENDS_LIBBPF_API_BTF_BLOB_H_
