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

}  // namespace mapspec

#endif  // BACKENDS_LIBBPF_API_BTF_BLOB_H_
