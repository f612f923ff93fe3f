// SPDX-License-Identifier: MIT
#include "runners/guest/guest_run.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "runners/failure_report.h"
#include "runners/guest/guest_job.h"
#include "runners/guest/initramfs.h"
#include "runners/guest/kernel_modules.h"
#include "runners/guest/program_files.h"
#include "runners/signals.h"
#include "runners/worker.h"

namespace mapspec {
namespace {

using std::chrono::seconds;

// Longer than the guest's own patience with a worker (worker_pool.cc), on a machine that is slow.
constexpr seconds kGuestSilence{300};
// A kernel says its first word within a second or two; where KVM is broken, never.
constexpr seconds kKvmPatience{15};
// A guest that waited so long for CPUs of this machine cannot be blamed for standing still.
constexpr double kStarved = 30;
// From the guest's last word to the end of the machine.
constexpr seconds kSwitchOff{10};

// False at the end of the stream.
template <typename Take>
bool Drain(int fd, const Take& take) {
  char buffer[65536];
  for (;;) {
    const ssize_t n = read(fd, buffer, sizeof buffer);
    if (n > 0) {
      take(std::string_view(buffer, static_cast<size_t>(n)));
      continue;
    }
    if (n < 0 && errno == EINTR) continue;
    return n < 0 && errno == EAGAIN;
  }
}

std::string GuestPath(const std::string& path) {
  return (std::filesystem::path("/") / path).lexically_normal().string();
}

bool AddSpecs(const std::vector<std::string>& specs, Initramfs* initramfs, std::string* error) {
  namespace fs = std::filesystem;
  for (const std::string& spec : specs) {
    std::error_code code;
    if (!fs::is_directory(spec, code)) {
      if (!initramfs->AddHostFile(GuestPath(spec), spec, 0644, error)) return false;
      continue;
    }
    for (fs::recursive_directory_iterator at(spec, code), end; !code && at != end;
         at.increment(code)) {
      if (!at->is_regular_file(code) || at->path().extension() != ".yaml") continue;
      const std::string path = at->path().string();
      if (!initramfs->AddHostFile(GuestPath(path), path, 0644, error)) return false;
    }
  }
  return true;
}

// Nodes that are needed before the guest has mounted its /dev, or where it has none to mount.
void AddDevices(Initramfs* initramfs) {
  initramfs->AddDevice("/dev/console", 5, 1);
  initramfs->AddDevice("/dev/null", 1, 3);
  initramfs->AddDevice("/dev/urandom", 1, 9);
  initramfs->AddDevice("/dev/ttyS0", 4, 64);
  initramfs->AddDevice("/dev/ttyS1", 4, 65);
}

bool IsBelow(const std::filesystem::path& directory, const std::filesystem::path& path) {
  const auto relative =
      path.lexically_normal().lexically_relative((directory / "").lexically_normal());
  return !relative.empty() && *relative.begin() != ".." && relative != ".";
}

// A stream that nobody reads, for the life of the process.
std::FILE* Nowhere() {
  static std::FILE* const file = std::fopen("/dev/null", "w");
  return file != nullptr ? file : stderr;
}

// Once no kernel came up with it, KVM does not work here: later guests need not wait for it.
bool g_kvm_is_broken = false;

}  // namespace

GuestRun::GuestRun(BootImage image, GuestOptions guest, const Profile& profile,
                   const std::vector<PlannedTest>& plan, const RunOptions& options,
                   Progress* progress)
    : image_(std::move(image)),
      guest_(guest),
      profile_(profile),
      plan_(plan),
      options_(options),
      silent_(progress == nullptr ? std::make_unique<Progress>(Nowhere(), false) : nullptr),
      progress_(progress == nullptr ? silent_.get() : progress),
      collector_(plan, options, progress_, &results_) {
  results_.backend = results_.environment.backend = GuestSelector(image_);
  results_.environment.kernel_release = image_.release;
  results_.environment.implementation = "Linux " + image_.release;
  results_.profile = profile.name;
  results_.seed = options.seed;
  results_.effort = EffortName(options.effort);
}

GuestRun::~GuestRun() {
  if (machine_.pid > 0 && !done_) {
    kill(machine_.pid, SIGKILL);
    waitpid(machine_.pid, nullptr, 0);
    RemoveChildToKill(machine_.pid);
    RemoveDirectory();
  }
  for (const int fd : {machine_.console, machine_.messages}) {
    if (fd >= 0) close(fd);
  }
}

void GuestRun::RemoveDirectory() const {
  std::error_code code;
  if (!machine_.directory.empty()) std::filesystem::remove_all(machine_.directory, code);
}

bool GuestRun::MakeInitramfs(std::string* error) {
  GuestJob job;
  job.selector = results_.backend;
  job.profile = profile_.name;
  for (const PlannedTest& test : plan_) job.tests.push_back(test.id);
  job.seed = options_.seed;
  job.effort = results_.effort;
  job.jobs = WorkersFor(options_, results_.backend);
  job.out = options_.out;
  job.shrink = options_.shrink;
  job.specs = options_.specs;
  job.gtest_flags = options_.gtest_flags;
  job.message_line = MessageLine(image_.kind);

  Initramfs initramfs;
  AddDevices(&initramfs);
  if (!AddRunningProgram("/init", &initramfs, &library_path_, error)) return false;
  if (!AddSpecs(options_.specs, &initramfs, error)) return false;
  const std::string directory = FindModuleDirectory(image_.path, image_.release);
  std::vector<KernelModule> modules;
  if (!directory.empty() && !CollectModules(directory, WantedModules(), &modules, error)) {
    return false;
  }
  for (const KernelModule& module : modules) {
    initramfs.AddFile(fmt::format("{}/{}.ko", kGuestModules, module.name), module.content);
    job.modules.push_back(module.name);
  }
  initramfs.AddFile(kGuestJobPath, EncodeGuestJob(job));
  initramfs_ = initramfs.Finish();
  return true;
}

void GuestRun::Start() {
  start_ = Clock::now();
  if (StopFlag().load()) {
    done_ = true;
    collector_.Finish(true);
    return;
  }
  progress_->Begin(results_.backend, plan_.size());
  if (!options_.out.empty()) {
    const std::string place = fmt::format("{}/{}", options_.out, FileNameOf(results_.backend));
    std::error_code code;
    std::filesystem::create_directories(place, code);
    results_.console = place + "/console.log";
    log_.open(results_.console, std::ios::binary | std::ios::trunc);
    if (!log_) {
      Note("mapspec: " + results_.console + ": cannot be written");
      results_.console.clear();
    }
  }
  const Accelerator accelerator = guest_.machine.accelerator;
  const bool kvm = image_.kind == GuestKind::kQemu && accelerator != Accelerator::kTcg &&
                   (accelerator == Accelerator::kKvm || (MayUseKvm() && !g_kvm_is_broken));
  std::string error;
  if (!MakeInitramfs(&error)) {
    results_.unusable = error;
    done_ = true;
  } else {
    Boot(kvm);
  }
  if (done_) collector_.Finish(false);
}

bool GuestRun::Boot(bool kvm) {
  std::string error;
  machine_ = StartMachine(image_, guest_.machine, kvm, initramfs_, library_path_, &error);
  start_ = heard_ = Clock::now();
  if (machine_.pid < 0) {
    results_.unusable = error;
    done_ = true;
    return false;
  }
  AddChildToKill(machine_.pid);
  progress_->TestStarted("boot");
  return true;
}

void GuestRun::AddPollFds(std::vector<pollfd>* fds) const {
  for (const int fd : {machine_.console, machine_.messages}) {
    if (fd >= 0 && !done_) fds->push_back({fd, POLLIN, 0});
  }
}

bool GuestRun::ReadConsole() {
  if (machine_.console < 0) return false;
  const bool open = Drain(machine_.console, [&](std::string_view bytes) {
    if (log_.is_open()) log_ << bytes;
    console_lines_.Append(bytes);
  });
  if (log_.is_open()) log_.flush();
  while (const auto line = console_lines_.NextLine()) scanner_.AddLine(*line);
  return open;
}

bool GuestRun::ReadMessages() {
  if (machine_.messages < 0) return false;
  const bool open =
      Drain(machine_.messages, [&](std::string_view bytes) { message_lines_.Append(bytes); });
  while (const auto line = message_lines_.NextLine()) {
    if (const auto message = DecodeMessage(*line)) {
      heard_ = Clock::now();
      Handle(*message);
    }
  }
  return open;
}

void GuestRun::Handle(const Message& message) {
  if (const auto* hello = std::get_if<HelloMessage>(&message)) {
    said_hello_ = true;
    results_.environment = hello->environment;
    results_.boot_seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  } else if (const auto* unusable = std::get_if<UnusableMessage>(&message)) {
    results_.unusable = unusable->reason;
  } else if (const auto* start = std::get_if<StartMessage>(&message)) {
    current_.insert(start->id);
    progress_->TestStarted(start->id);
  } else if (const auto* result = std::get_if<ResultMessage>(&message)) {
    current_.erase(result->result.id);
    ++finished_;
    collector_.AddCoverage(result->coverage);
    collector_.Add(result->result);
  } else if (const auto* note = std::get_if<NoteMessage>(&message)) {
    Note(note->text);
  } else if (const auto* left_out = std::get_if<LeftOutMessage>(&message)) {
    collector_.LeaveOut(left_out->id);
  } else if (const auto* file = std::get_if<FileMessage>(&message)) {
    WriteFileOfGuest(*file);
  } else if (std::holds_alternative<EndMessage>(message)) {
    said_end_ = true;
    ended_at_ = Clock::now();
  }
}

// A kernel under test may say anything: it writes below --out and nowhere else.
void GuestRun::WriteFileOfGuest(const FileMessage& file) {
  if (options_.out.empty() || !IsBelow(options_.out, file.path)) return;
  std::error_code code;
  std::filesystem::create_directories(std::filesystem::path(file.path).parent_path(), code);
  std::ofstream out(file.path, std::ios::binary | std::ios::trunc);
  out << file.content;
  out.flush();
  if (!out) Note("mapspec: " + file.path + ": cannot be written");
}

void GuestRun::Kill(std::string why) {
  if (killed_) return;
  killed_ = true;
  killed_because_ = std::move(why);
  kill(machine_.pid, SIGKILL);
}

void GuestRun::CheckClock() {
  const Clock::time_point now = Clock::now();
  if (now - looked_ > seconds(2)) {
    looked_ = now;
    without_cpu_ = std::max(without_cpu_, SecondsWithoutCpu(machine_.pid));
  }
  if (StopFlag().load()) {
    stopped_ = true;
    Kill("was interrupted");
  } else if (said_end_) {
    if (now - ended_at_ > kSwitchOff) Kill("did not switch off");
  } else if (!said_hello_ && now - start_ > guest_.boot_timeout) {
    Kill(fmt::format("the suite in it did not start within {} s (--boot-timeout)",
                     guest_.boot_timeout.count()));
  } else if (said_hello_ && now - heard_ > kGuestSilence) {
    Kill(fmt::format("it said nothing for {} s", kGuestSilence.count()));
  }
}

void GuestRun::Step() {
  if (done_) return;
  ReadConsole();
  ReadMessages();
  if (GiveUpKvm()) return;
  CheckClock();
  int status = 0;
  if (waitpid(machine_.pid, &status, WNOHANG) != machine_.pid) return;
  RemoveChildToKill(machine_.pid);
  RemoveDirectory();
  ReadConsole();
  ReadMessages();
  Ended(status);
}

// Boots again without KVM when nothing has come of it.
bool GuestRun::GiveUpKvm() {
  if (!machine_.kvm || guest_.machine.accelerator != Accelerator::kAuto || killed_ ||
      scanner_.kernel_spoke() || Clock::now() - start_ < kKvmPatience) {
    return false;
  }
  g_kvm_is_broken = true;
  Note(fmt::format("mapspec: no kernel came up with KVM within {} s; without it, then (slower)",
                   kKvmPatience.count()));
  kill(machine_.pid, SIGKILL);
  while (waitpid(machine_.pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  RemoveChildToKill(machine_.pid);
  close(machine_.console);
  close(machine_.messages);
  if (!Boot(false)) collector_.Finish(false);
  return true;
}

void GuestRun::Note(std::string text) {
  if (silent_ != nullptr) notes_.push_back(text);
  progress_->Note(text);
}

std::string GuestRun::LastLines() const {
  std::string text;
  for (const std::string& line : scanner_.LastLines()) text += "\n    " + line;
  return text.empty() ? "\n    (nothing came on its console)" : text;
}

void GuestRun::Ended(int wait_status) {
  done_ = true;
  TellFindings();
  if (!said_end_ && results_.unusable.empty() && !stopped_) {
    const std::string how =
        !killed_because_.empty() ? killed_because_
        : image_.kind == GuestKind::kQemu && WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0
            ? "its machine was reset or switched off"
            : "its machine " + DescribeDeath(wait_status);
    results_.unusable =
        fmt::format("the guest {}: {}; its last lines:{}",
                    said_hello_ ? "did not get to the end" : "did not come up", how, LastLines());
  }
  for (const std::string& id : current_) {
    TestResult test;
    test.id = id;
    test.clause = collector_.ClauseOf(id);
    test.status = stopped_ ? Status::kNotRun : Status::kDied;
    test.reason = stopped_ ? "interrupted" : "the guest ended while it ran";
    collector_.Add(test);
  }
  collector_.Finish(stopped_);
  AddFindings();
  progress_->End();
  results_.seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  if (!stopped_ && results_.unusable.empty() && options_.shards == 1) {
    results_.errors = VanishedDeviations(options_.deviations, results_);
  }
}

void GuestRun::TellFindings() {
  std::set<std::string> told;
  for (const ConsoleFinding& finding : scanner_.findings()) {
    if (!told.insert(finding.id).second) continue;
    Note(fmt::format("{}: {}", finding.id, finding.lines[0]));
  }
}

void GuestRun::AddFindings() {
  // Behind the tests of the plan, whose order is fixed.
  for (const ConsoleFinding& finding : scanner_.findings()) {
    const auto known = std::find_if(results_.tests.begin(), results_.tests.end(),
                                    [&](const TestResult& test) { return test.id == finding.id; });
    std::string text =
        fmt::format("CONSOLE of {} ({})\n", results_.backend, results_.environment.implementation);
    for (const std::string& line : finding.lines) text += "    " + line + "\n";
    if (known != results_.tests.end()) {
      known->report += text;
      continue;
    }
    TestResult test;
    test.id = finding.id;
    test.status = Status::kFail;
    test.reason = finding.lines[0];
    if (IsAboutTime(finding.id) && without_cpu_ > kStarved) {
      test.status = Status::kUndecided;
      test.reason += fmt::format(
          " (no verdict: this machine let the guest wait {:.0f} s for a CPU)", without_cpu_);
    }
    test.report = std::move(text);
    results_.tests.push_back(std::move(test));
  }
}

void RunGuests(const std::vector<std::unique_ptr<GuestRun>>& runs, size_t parallel,
               const std::function<void()>& tick) {
  size_t next = 0;
  std::vector<GuestRun*> active;
  while (next < runs.size() || !active.empty()) {
    while (next < runs.size() && active.size() < std::max<size_t>(parallel, 1)) {
      runs[next]->Start();
      active.push_back(runs[next++].get());
    }
    std::vector<pollfd> fds;
    for (const GuestRun* run : active) run->AddPollFds(&fds);
    poll(fds.data(), fds.size(), 200);
    for (GuestRun* run : active) run->Step();
    std::erase_if(active, [](const GuestRun* run) { return run->Done(); });
    if (tick) tick();
  }
}

}  // namespace mapspec
