// SPDX-License-Identifier: MIT
//
// Reproducers: slots, and the calls on objects: maps as a whole, ids, pins, descriptors as files,
// BTF, sockets.
#include <fmt/format.h>

#include <algorithm>

#include "backends/libbpf_api/btf_blob.h"
#include "backends/libbpf_api/pin_directory.h"
#include "oracle/inner_map.h"
#include "runners/repro_writer.h"

namespace mapspec {
namespace {

constexpr uint32_t kInfoSize = 88;  // struct bpf_map_info up to map_extra.

std::string TypeOf(MapType type) {
  // Names that are in the headers of libbpf 1.1.
  if (type > MapType::UNSPEC && type <= MapType::BLOOM_FILTER) return MapTypeName(type);
  return fmt::format("(enum bpf_map_type){}", static_cast<uint32_t>(type));
}

bool IsHash(MapType type) {
  return type != MapType::ARRAY && type != MapType::PERCPU_ARRAY &&
         type != MapType::ARRAY_OF_MAPS && type != MapType::XSKMAP;
}

}  // namespace

const ReproWriter::Record& ReproWriter::RecordOf(Handle handle) const {
  static const Record kNone;
  const auto slot = slots_.find(handle.slot);
  if (slot == slots_.end() || slot->second.record < 0) return kNone;
  return records_[static_cast<size_t>(slot->second.record)];
}

bool ReproWriter::IsOpen(Handle handle) const {
  const auto slot = slots_.find(handle.slot);
  return slot != slots_.end() && slot->second.open;
}

std::string ReproWriter::Fd(Handle handle, Step* step) {
  if (handle == kNotAMap) {
    source_.Global("static int not_a_map;");
    if (!not_a_map_open_) {
      step->before.push_back("not_a_map = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);");
    }
    not_a_map_open_ = true;
    return "not_a_map";
  }
  // Of a closed slot there is no descriptor, whatever its number was.
  return IsOpen(handle) ? fmt::format("m{}", handle.slot) : "-1";
}

void ReproWriter::Fill(Handle handle, const std::string& fd_call, int record, Step* step) {
  source_.Global("static int fd;");
  step->before.push_back(fmt::format("fd = {};", fd_call));
  if (step->call.empty()) step->call = "outcome(fd < 0 ? fd : 0)";
  if (handle.slot >= kMaxSlots) return;
  const std::string name = fmt::format("m{}", handle.slot);
  if (IsOpen(handle)) step->after.push_back(fmt::format("close({});", name));
  Slot& slot = SlotOf(handle);
  slot.open = Succeeded();
  slot.record = Succeeded() ? record : -1;
  if (!Succeeded()) return;
  source_.Global(fmt::format("static int {} = -1;", name));
  step->after.push_back(name + " = fd;");
}

std::string ReproWriter::Id(Handle of, uint32_t id, Step*) const {
  if (of == kBadFd) return CNumber(id);
  const auto slot = slots_.find(of.slot);
  if (slot == slots_.end() || slot->second.told_id == 0) return "0";
  return fmt::format("id{}", of.slot);
}

std::string ReproWriter::Path(const std::string& path, Step*) {
  if (!StaysInside(path)) throw Refuse{"the path \"" + path + "\" leaves the script's directory"};
  pins_used_ = true;
  constexpr std::string_view kOutside = "outside/";
  if (!target_.library.empty()) {
    return fmt::format("library_path({})", CString(path));
  }
  if (path.starts_with(kOutside)) {
    return fmt::format("outside_path({})", CString(path.substr(kOutside.size())));
  }
  return fmt::format("pin_path({})", CString(path));
}

void ReproWriter::On(const MapCreate& op, Step* step) {
  const std::string inner = op.inner_map == kBadFd ? "0" : Fd(op.inner_map, step);
  const MapShape inner_shape = RecordOf(op.inner_map).shape;
  std::string btf = "0";
  int32_t lock = -1;
  if (op.btf != kNoBtf) {
    const auto loaded = btfs_.find(op.btf);
    const bool there = loaded != btfs_.end() && loaded->second.first;
    btf = there ? fmt::format("b{}", op.btf) : "-1";
    if (there && op.btf_value_type_id == kBtfValueTypeId) lock = loaded->second.second;
  }
  const bool raw =
      op.attr_size != 0 || op.name.size() >= kObjNameLen || op.name.find('\0') != std::string::npos;
  std::string call;
  std::string fields;
  const auto field = [&](const char* name, const std::string& value) {
    if (value == "0") return;
    fields += fmt::format("{}\n\t    .{} = {}", fields.empty() ? "" : ",", name, value);
  };
  if (raw) {
    field("map_type", TypeOf(op.type));
    field("key_size", CNumber(op.key_size));
    field("value_size", CNumber(op.value_size));
    field("max_entries", CNumber(op.max_entries));
  }
  field("map_flags", CNumber(op.map_flags));
  field("inner_map_fd", inner == "-1" ? "(__u32)-1" : inner == "0" ? "0" : "(__u32)" + inner);
  field("numa_node", CNumber(op.numa_node));
  field("btf_fd", btf == "-1" ? "(__u32)-1" : btf == "0" ? "0" : "(__u32)" + btf);
  field("btf_key_type_id", CNumber(op.btf_key_type_id));
  field("btf_value_type_id", CNumber(op.btf_value_type_id));
  field("map_extra", CNumber(op.map_extra));
  if (raw) {
    step->declares = true;
    const size_t size = op.attr_size != 0 ? op.attr_size : 80;
    // Room for more than the attribute where bpf(2) is told of more.
    step->before.push_back(
        fmt::format("static union {{\n\tunion bpf_attr attr;\n\tunsigned char "
                    "bytes[{}];\n}} create;",
                    std::min<size_t>(std::max<size_t>(size, 256), 131072)));
    step->before.push_back(fmt::format("create.attr = (union bpf_attr){{{} }};", fields));
    if (!op.name.empty()) {
      step->before.push_back(fmt::format("memcpy(create.attr.map_name, {}, {});", CString(op.name),
                                         std::min<size_t>(op.name.size(), kObjNameLen)));
    }
    call = fmt::format("(int)syscall(SYS_bpf, BPF_MAP_CREATE, &create, {})", size);
    step->call = "system_outcome(fd)";
  } else {
    std::string options = "NULL";
    if (!fields.empty()) {
      step->declares = true;
      step->before.push_back(fmt::format("LIBBPF_OPTS(bpf_map_create_opts, opts,{});", fields));
      options = "&opts";
    }
    call = fmt::format("bpf_map_create({}, {}, {}, {}, {}, {})", TypeOf(op.type),
                       op.name.empty() ? "NULL" : CString(op.name), CNumber(op.key_size),
                       CNumber(op.value_size), CNumber(op.max_entries), options);
  }
  Record record;
  record.key_size = op.key_size;
  record.value_size = op.value_size;
  if (IsPerCpu(op.type)) {
    record.value_size = PerCpuStride(op.value_size) * trace_.environment.possible_cpus;
  }
  record.max_entries = op.max_entries;
  record.shape = {op.type, op.key_size, op.value_size, lock};
  record.shape.access = op.map_flags & (BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG);
  if (IsMapOfMaps(op.type)) record.shape.SetInner(inner_shape);
  record.ordered = !IsHash(op.type);
  records_.push_back(record);
  const int number = static_cast<int>(records_.size()) - 1;
  Fill(op.result, call, number, step);
  if (Succeeded() && named_by_id_.count(number) != 0) {
    source_.Global(fmt::format("static unsigned map_id{};", number));
    step->after.push_back(fmt::format("map_id{} = id_of(fd);", number));
  }
}

void ReproWriter::On(const Freeze& op, Step* step) {
  step->call = fmt::format("outcome(bpf_map_freeze({}))", Fd(op.map, step));
}

void ReproWriter::On(const GetInfo& op, Step* step) {
  const uint32_t size = op.info_len == 0 ? kInfoSize : op.info_len;
  source_.Global(fmt::format(
      "static union {{\n\tstruct bpf_map_info map;\n\tunsigned char bytes[{}];\n}} info{};",
      std::max(size, 1u), size == kInfoSize ? std::string() : fmt::format("_{}", size)));
  const std::string name = size == kInfoSize ? "info" : fmt::format("info_{}", size);
  source_.Global("static unsigned info_len;");
  step->before.push_back(fmt::format("memset(&{0}, 0, sizeof({0}));", name));
  step->before.push_back(fmt::format("info_len = {};", size));
  const std::string where = op.info == Pointer::kNull  ? "NULL"
                            : op.info == Pointer::kBad ? "bad_pointer()"
                                                       : fmt::format("&{}", name);
  step->call =
      fmt::format("outcome(bpf_obj_get_info_by_fd({}, {}, &info_len))", Fd(op.map, step), where);
  step->output = name;
  const auto* told = std::get_if<Boxed<MapInfo>>(&outcome_->output);
  if (!Succeeded() || told == nullptr || size < 8 || !IsOpen(op.map)) return;
  Slot& slot = SlotOf(op.map);
  slot.told_id = (*told)->id;
  if (slot.record >= 0) records_[static_cast<size_t>(slot.record)].id = (*told)->id;
  source_.Global(fmt::format("static unsigned id{};", op.map.slot));
  step->after.push_back(fmt::format("id{} = {}.map.id;", op.map.slot, name));
}

void ReproWriter::On(const GetFdById& op, Step* step) {
  std::string call = fmt::format("bpf_map_get_fd_by_id({})", Id(op.of, op.id, step));
  if (op.open_flags != 0) {
    step->declares = true;
    step->before.push_back(fmt::format(
        "LIBBPF_OPTS(bpf_get_fd_by_id_opts, opts, .open_flags = {});", CNumber(op.open_flags)));
    call = fmt::format("bpf_map_get_fd_by_id_opts({}, &opts)", Id(op.of, op.id, step));
  }
  int record = -1;
  const uint32_t id = op.of == kBadFd                 ? op.id
                      : slots_.count(op.of.slot) != 0 ? slots_[op.of.slot].told_id
                                                      : 0;
  for (size_t i = 0; i < records_.size() && id != 0; ++i) {
    if (records_[i].id == id) record = static_cast<int>(i);
  }
  if (Succeeded() && index_ != verdict_.index && (record < 0 || op.of == kBadFd)) {
    throw Refuse{fmt::format("operation {} opens a map that the script did not make", index_)};
  }
  Fill(op.result, call, record, step);
}

void ReproWriter::On(const GetNextId& op, Step* step) {
  source_.Global("static unsigned next_id;");
  step->call = fmt::format("outcome(bpf_map_get_next_id({}, &next_id))", Id(op.of, op.id, step));
}

void ReproWriter::On(const struct Pin& op, Step* step) {
  const std::string path = Path(op.path, step);
  if (op.file_flags == 0) {
    step->call = fmt::format("outcome(bpf_obj_pin({}, {}))", Fd(op.map, step), path);
  } else {
    step->declares = true;
    step->before.push_back("union bpf_attr attr = { 0 };");
    step->before.push_back(fmt::format("attr.pathname = (__u64)(unsigned long){};", path));
    step->before.push_back(fmt::format("attr.bpf_fd = (__u32){};", Fd(op.map, step)));
    step->before.push_back(fmt::format("attr.file_flags = {};", CNumber(op.file_flags)));
    step->call = "system_outcome(syscall(SYS_bpf, BPF_OBJ_PIN, &attr, sizeof(attr)))";
  }
  if (Succeeded() && IsOpen(op.map)) pins_[op.path] = SlotOf(op.map).record;
}

void ReproWriter::On(const ObjGet& op, Step* step) {
  std::string call = fmt::format("bpf_obj_get({})", Path(op.path, step));
  if (op.file_flags != 0) {
    step->declares = true;
    step->before.push_back(fmt::format("LIBBPF_OPTS(bpf_obj_get_opts, opts, .file_flags = {});",
                                       CNumber(op.file_flags)));
    call = fmt::format("bpf_obj_get_opts({}, &opts)", Path(op.path, step));
  }
  const auto pin = pins_.find(op.path);
  const int record = pin == pins_.end() ? -1 : pin->second;
  if (Succeeded() && index_ != verdict_.index && record < 0) {
    throw Refuse{fmt::format("operation {} opens a pin that the script did not make", index_)};
  }
  Fill(op.result, call, record, step);
}

void ReproWriter::On(const Unlink& op, Step* step) {
  step->call = fmt::format("system_outcome(unlink({}))", Path(op.path, step));
  if (Succeeded()) pins_.erase(op.path);
}

void ReproWriter::On(const struct Close& op, Step* step) {
  step->call = fmt::format("system_outcome(close({}))", Fd(op.map, step));
  if (op.map == kNotAMap) not_a_map_open_ = false;
  if (slots_.count(op.map.slot) != 0) SlotOf(op.map).open = false;
}

void ReproWriter::On(const Mmap& op, Step* step) {
  if (target_.embedded && (index_ == verdict_.index || !Succeeded())) {
    throw Refuse{
        "the embedded library's mmap() is a function of its own, which libbpf does not have"};
  }
  const char* protection = op.prot_read ? (op.prot_write ? "PROT_READ | PROT_WRITE" : "PROT_READ")
                           : op.prot_write ? "PROT_WRITE"
                                           : "PROT_NONE";
  source_.Global("static void *mapped;");
  step->before.push_back(fmt::format(
      "mapped = mmap(NULL, {}, {}, {}, {}, {});", CNumber(op.length), protection,
      op.shared ? "MAP_SHARED" : "MAP_PRIVATE", Fd(op.map, step),
      op.offset > INT64_MAX ? fmt::format("(off_t){}", CNumber(op.offset)) : CNumber(op.offset)));
  step->call = "system_outcome(mapped == MAP_FAILED ? -1 : 0)";
  if (op.result >= kMaxSlots) return;
  View& view = views_[op.result];
  const std::string name = fmt::format("v{}", op.result);
  if (view.mapped) step->after.push_back(fmt::format("munmap({}, {});", name, view.length));
  view = {};
  if (!Succeeded()) return;
  source_.Global(fmt::format("static unsigned char *{};", name));
  step->after.push_back(name + " = mapped;");
  view = {true, op.length, op.prot_read || op.prot_write, op.prot_write};
}

void ReproWriter::On(const MemRead& op, Step* step) {
  const View& view = views_[op.view];
  step->output_size = op.length;
  if (!view.mapped || !view.readable || op.offset > view.length ||
      op.length > view.length - op.offset) {
    return;
  }
  step->call = "0";
  // The bytes as they are now.
  source_.Buffer("value", op.length);
  step->before.push_back(
      fmt::format("memcpy(value, v{} + {}, {});", op.view, op.offset, op.length));
  step->output = "value";
}

void ReproWriter::On(const MemWrite& op, Step* step) {
  const View& view = views_[op.view];
  if (!view.mapped || !view.writable || op.offset > view.length ||
      op.bytes.size() > view.length - op.offset) {
    return;
  }
  const std::string bytes = CBytes(op.bytes, "value_in", &source_, &step->before);
  step->before.push_back(
      fmt::format("memcpy(v{} + {}, {}, {});", op.view, op.offset, bytes, op.bytes.size()));
  step->call = "0";
}

void ReproWriter::On(const Munmap& op, Step* step) {
  View& view = views_[op.view];
  if (!view.mapped) return;
  step->call = fmt::format("system_outcome(munmap(v{}, {}))", op.view, view.length);
  if (Succeeded()) view = {};
}

void ReproWriter::On(const struct Poll& op, Step* step) {
  source_.Global("static struct pollfd polled;");
  step->before.push_back(fmt::format(
      "polled = (struct pollfd){{ .fd = {}, .events = POLLIN | POLLOUT }};", Fd(op.map, step)));
  step->call = "system_outcome(poll(&polled, 1, 0))";
}

void ReproWriter::On(const FdRead& op, Step* step) {
  source_.Global("static unsigned char word[8];");
  step->call = fmt::format("system_outcome(read({}, word, sizeof(word)))", Fd(op.map, step));
}

void ReproWriter::On(const FdWrite& op, Step* step) {
  source_.Global("static unsigned char word[8];");
  step->before.push_back("memset(word, 0, sizeof(word));");
  step->call = fmt::format("system_outcome(write({}, word, sizeof(word)))", Fd(op.map, step));
}

void ReproWriter::On(const BtfLoad& op, Step* step) {
  const std::vector<uint8_t> blob = MakeBtf(op);
  const std::string bytes = CBytes(Bytes(blob.data(), blob.size()), "btf", &source_, &step->before);
  source_.Global("static int fd;");
  step->before.push_back(fmt::format("fd = bpf_btf_load({}, {}, NULL);", bytes, blob.size()));
  step->call = "outcome(fd < 0 ? fd : 0)";
  if (op.result >= kMaxSlots) return;
  auto& [loaded, lock] = btfs_[op.result];
  if (loaded) step->after.push_back(fmt::format("close(b{});", op.result));
  loaded = Succeeded();
  lock = op.lock_offset;
  if (!loaded) return;
  source_.Global(fmt::format("static int b{} = -1;", op.result));
  step->after.push_back(fmt::format("b{} = fd;", op.result));
}

void ReproWriter::On(const SocketOpen& op, Step* step) {
  std::string call;
  switch (op.kind) {
    case SocketOpen::Kind::kUdp:
      call = "socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)";
      break;
    case SocketOpen::Kind::kTcp:
      call = "socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)";
      break;
    case SocketOpen::Kind::kXdpBare:
      call = "socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0)";
      break;
    case SocketOpen::Kind::kXdpUnbound:
    case SocketOpen::Kind::kXdp:
      throw Refuse{
          "AF_XDP sockets with rings need a network of their own, which a reproducer does "
          "not set up"};
  }
  step->call = "system_outcome(fd)";
  Fill(op.result, call, -1, step);
}

void ReproWriter::On(const SendFrames&, Step*) {
  throw Refuse{"frames need a network of their own, which a reproducer does not set up"};
}

void ReproWriter::On(const ReceiveFrames&, Step*) {
  throw Refuse{"frames need a network of their own, which a reproducer does not set up"};
}

}  // namespace mapspec
