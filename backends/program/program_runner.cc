// SPDX-License-Identifier: MIT
#include "backends/program/program_runner.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "backends/program/control_record.h"
#include "oracle/inner_map.h"

namespace mapspec {
namespace {

// Runs that get nowhere (a signal that waits ends BPF_PROG_TEST_RUN before the first of them).
constexpr int kFutileRuns = 100;

void NotRun(std::string reason, std::span<Outcome> outcomes) {
  for (Outcome& outcome : outcomes) {
    outcome.completion = Completion::kNotRun;
    outcome.detail = reason;
  }
}

void SetNext(ControlMap& control, uint64_t next) {
  std::memcpy(control.memory().data(), &next, sizeof(next));
}
uint64_t Next(ControlMap& control) {
  uint64_t next = 0;
  std::memcpy(&next, control.memory().data(), sizeof(next));
  return next;
}

}  // namespace

ProgramRunner::ProgramRunner(std::unique_ptr<ProgramEngine> engine) : engine_(std::move(engine)) {}
ProgramRunner::~ProgramRunner() = default;

void ProgramRunner::Forget(uint16_t slot) {
  if (slot < slots_.size()) slots_[slot].reset();
}

ProgramRunner::Programs& ProgramRunner::ProgramsOf(const Subject& subject) {
  const bool kept = subject.fd >= 0 && subject.slot < kMaxSlots;
  if (kept && subject.slot >= slots_.size()) slots_.resize(subject.slot + size_t{1});
  std::unique_ptr<Programs>& programs = kept ? slots_[subject.slot] : unkept_;
  if (programs == nullptr || !kept || !(programs->shape == subject.shape)) {
    programs = std::make_unique<Programs>();
    programs->shape = subject.shape;
  }
  return *programs;
}

ControlMap* ProgramRunner::ControlFor(uint32_t size, std::string* error) {
  for (const auto& control : controls_) {
    if (control->memory().size() >= size) return control.get();
  }
  auto control = engine_->MakeControlMap(std::max(std::bit_ceil(size), kUsualControlSize), error);
  if (control == nullptr) return nullptr;
  controls_.push_back(std::move(control));
  return controls_.back().get();
}

void ProgramRunner::Load(const Subject& subject, std::span<const HelperAction> actions,
                         Loaded* loaded) {
  loaded->tried = true;
  if (FormOf(actions.front()) == RecordForm::kInner && IsMapOfMaps(subject.shape.type) &&
      subject.shape.inner_type == MapType::UNSPEC) {
    loaded->result.log = "the sizes of the inner maps are not known";
    return;
  }
  loaded->layout = LayOut(subject.shape, FormOf(actions.front()));
  loaded->control = ControlFor(loaded->layout.control_size, &loaded->result.log);
  if (loaded->control == nullptr) return;
  loaded->result =
      engine_->Load(MakeHelperProgram(subject.shape, actions), subject.fd, *loaded->control);
}

const ProgramRunner::Loaded& ProgramRunner::LoadedFor(const Subject& subject, Programs& programs,
                                                      HelperAction action) {
  const auto actions = ActionsTogether(subject.shape);
  if (subject.fd >= 0 && std::find(actions.begin(), actions.end(), action) != actions.end()) {
    if (!programs.together.tried) Load(subject, actions, &programs.together);
    if (programs.together.result.program != nullptr) return programs.together;
  }
  Loaded& alone = programs.alone[static_cast<size_t>(action)];
  if (!alone.tried) Load(subject, {&action, 1}, &alone);
  return alone;
}

void ProgramRunner::Run(const Subject& subject, std::span<const Operation> operations,
                        std::span<Outcome> outcomes) {
  const MapShape& shape = subject.shape;
  if (std::max(shape.key_size, shape.inner_key_size) > kMaxKey ||
      std::max(shape.value_size, shape.inner_value_size) > kMaxValue) {
    return NotRun("programs are made for keys and values of up to 64 KiB", outcomes);
  }
  Programs& programs = ProgramsOf(subject);
  for (size_t begin = 0; begin < operations.size();) {
    const Loaded& loaded = LoadedFor(subject, programs, *ActionOf(operations[begin].call));
    size_t end = begin + 1;
    while (end < operations.size() && end - begin < loaded.layout.records &&
           &LoadedFor(subject, programs, *ActionOf(operations[end].call)) == &loaded) {
      ++end;
    }
    const auto part = operations.subspan(begin, end - begin);
    const auto its_outcomes = outcomes.subspan(begin, end - begin);
    if (loaded.result.program != nullptr) {
      RunRecords(loaded, subject.shape, part, its_outcomes);
    } else if (loaded.result.refused != Errno::kNone) {
      for (Outcome& outcome : its_outcomes) {
        outcome.completion = Completion::kRefused;
        outcome.error = loaded.result.refused;
        outcome.detail = loaded.result.log;
      }
    } else {
      NotRun("no program: " + loaded.result.log, its_outcomes);
    }
    begin = end;
  }
}

void ProgramRunner::RunRecords(const Loaded& loaded, const MapShape& shape,
                               std::span<const Operation> operations, std::span<Outcome> outcomes) {
  uint8_t* memory = loaded.control->memory().data();
  const auto count = static_cast<uint32_t>(operations.size());
  for (uint32_t i = 0; i < count; ++i) {
    WriteRecord(operations[i].call, shape, loaded.layout, memory + loaded.layout.OffsetOf(i));
  }
  SetNext(*loaded.control, 0);
  std::string problem;
  uint64_t ran = 0;
  for (int futile = 0; ran < count && futile < kFutileRuns;) {
    const bool complete = loaded.result.program->Run(count - static_cast<uint32_t>(ran), &problem);
    const uint64_t before = std::exchange(ran, Next(*loaded.control));
    if (complete) break;
    futile = ran > before ? 0 : futile + 1;
  }
  for (uint32_t i = 0; i < count; ++i) {
    ReadRecord(operations[i].call, shape, loaded.layout, memory + loaded.layout.OffsetOf(i),
               &outcomes[i]);
    if (outcomes[i].completion == Completion::kNotRun && !problem.empty()) {
      outcomes[i].detail += ": " + problem;
    }
  }
}

}  // namespace mapspec
