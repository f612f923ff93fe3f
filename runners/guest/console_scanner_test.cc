// SPDX-License-Identifier: MIT
//
// Reports as kernels print them, shortened in the middle, and lines that look like reports and are
// none.
#include "runners/guest/console_scanner.h"

#include <gtest/gtest.h>

#include <sstream>

namespace mapspec {
namespace {

std::vector<ConsoleFinding> Scan(const std::string& text) {
  ConsoleScanner scanner;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) scanner.AddLine(line);
  return scanner.findings();
}

std::vector<std::string> Ids(const std::string& text) {
  std::vector<std::string> ids;
  for (const ConsoleFinding& finding : Scan(text)) ids.push_back(finding.id);
  return ids;
}

using Strings = std::vector<std::string>;

constexpr const char* kOops =
    "[    7.000001] BUG: kernel NULL pointer dereference, address: 0000000000000010\r\n"
    "[    7.000002] #PF: supervisor read access in kernel mode\r\n"
    "[    7.000003] #PF: error_code(0x0000) - not-present page\r\n"
    "[    7.000004] PGD 0 P4D 0 \r\n"
    "[    7.000005] Oops: 0000 [#1] PREEMPT SMP NOPTI\r\n"
    "[    7.000006] CPU: 1 PID: 113 Comm: mapspec Not tainted 6.1.0 #1\r\n"
    "[    7.000007] RIP: 0010:htab_map_update_elem+0x21/0x3f0\r\n"
    "[    7.000008] Call Trace:\r\n"
    "[    7.000009]  <TASK>\r\n"
    "[    7.000010]  bpf_map_update_value+0x9d/0x250\r\n"
    "[    7.000011] ---[ end trace 0000000000000000 ]---\r\n"
    "[    7.000012] note: mapspec[113] exited with irqs disabled\r\n";

TEST(ConsoleScanner, AnOopsIsOneFindingWithItsLinesAndNoneBehindItsEnd) {
  const std::vector<ConsoleFinding> findings = Scan(kOops);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].id, "console.oops");
  EXPECT_EQ(findings[0].lines.size(), 11u);
  EXPECT_EQ(findings[0].lines.front(),
            "BUG: kernel NULL pointer dereference, address: 0000000000000010");
  EXPECT_EQ(findings[0].lines.back(), "---[ end trace 0000000000000000 ]---");
}

TEST(ConsoleScanner, APanicAfterAnOopsIsAnother) {
  EXPECT_EQ(Ids(std::string(kOops) +
                "[    7.1] Kernel panic - not syncing: Fatal exception in interrupt\n"
                "[    7.2] Kernel Offset: 0x2e000000 from 0xffffffff81000000\n"
                "[    7.3] ---[ end Kernel panic - not syncing: Fatal exception ]---\n"),
            (Strings{"console.oops", "console.panic"}));
}

TEST(ConsoleScanner, KnowsEveryKindOfReport) {
  const struct {
    const char* line;
    const char* id;
  } cases[] = {
      {"Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)",
       "console.panic"},
      {"BUG: unable to handle page fault for address: ffffc90000a3d000", "console.oops"},
      {"general protection fault, probably for non-canonical address 0xdead000000000108: 0000 [#1] "
       "PREEMPT SMP",
       "console.oops"},
      {"Oops: general protection fault, probably for non-canonical address 0xdead: 0000 [#1] SMP",
       "console.oops"},
      {"divide error: 0000 [#1] SMP", "console.oops"},
      {"kernel BUG at kernel/bpf/hashtab.c:222!", "console.bug"},
      {"BUG: sleeping function called from invalid context at mm/vmalloc.c:2991", "console.bug"},
      {"BUG: scheduling while atomic: mapspec/87/0x00000002", "console.bug"},
      {"BUG: KASAN: slab-out-of-bounds in htab_map_hash+0x1c/0x30", "console.kasan"},
      {"BUG: KASAN: use-after-free in __htab_map_lookup_elem+0x8f/0xd0", "console.kasan"},
      {"BUG: KCSAN: data-race in bpf_lru_pop_free / bpf_lru_push_free", "console.kcsan"},
      {"BUG: KMSAN: uninit-value in copy_map_value+0x1f/0x40", "console.kmsan"},
      {"BUG: KFENCE: out-of-bounds read in array_map_lookup_elem+0x2a/0x40", "console.kfence"},
      {"UBSAN: shift-out-of-bounds in kernel/bpf/queue_stack_maps.c:80:2", "console.ubsan"},
      {"WARNING: CPU: 0 PID: 71 at kernel/bpf/core.c:2311 ___bpf_prog_run+0x2a/0x30",
       "console.warning"},
      {"WARNING: kernel/bpf/core.c:2311 at ___bpf_prog_run+0x2a/0x30, CPU#0: mapspec/71",
       "console.warning"},
      {"WARNING: possible circular locking dependency detected", "console.lockdep"},
      {"WARNING: possible recursive locking detected", "console.lockdep"},
      {"WARNING: inconsistent lock state", "console.lockdep"},
      {"WARNING: suspicious RCU usage", "console.lockdep"},
      {"WARNING: bad unlock balance detected!", "console.lockdep"},
      {"WARNING: HARDIRQ-safe -> HARDIRQ-unsafe lock order detected", "console.lockdep"},
      {"[ BUG: Invalid wait context ]", "console.lockdep"},
      {"INFO: trying to register non-static key.", "console.lockdep"},
      {"INFO: task mapspec:87 blocked for more than 120 seconds.", "console.hung-task"},
      {"watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [mapspec:87]", "console.lockup"},
      {"NMI watchdog: Watchdog detected hard LOCKUP on cpu 1", "console.lockup"},
      {"rcu: INFO: rcu_preempt self-detected stall on CPU", "console.rcu-stall"},
      {"rcu: INFO: rcu_sched detected stalls on CPUs/tasks:", "console.rcu-stall"},
      {"rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 1-... }",
       "console.rcu-stall"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(ConsoleFindingId(c.line), c.id) << c.line;
    // With the time and the caller that printk may put before it.
    EXPECT_EQ(Ids(std::string("[   12.345678] ") + c.line), Strings{c.id}) << c.line;
    EXPECT_EQ(Ids(std::string("[   12.345678][  T123] ") + c.line), Strings{c.id}) << c.line;
  }
}

TEST(ConsoleScanner, HarmlessLinesAreNone) {
  for (const char* line : {
           "Linux version 6.1.0-57-cloud-amd64 (debian-kernel@lists.debian.org) (gcc-12)",
           "Kernel command line: console=ttyS0 panic=-1 oops=panic",
           "Warning: unable to open an initial console.",
           "Spectre V2 : WARNING: Unprivileged eBPF is enabled with eIBRS on, data leaks possible",
           "rcu: Preemptible hierarchical RCU implementation.",
           "rcu: RCU calculated value of scheduler-enlistment delay is 25 jiffies.",
           "rcu: RCU restricting CPUs from NR_CPUS=512 to nr_cpu_ids=2.",
           "traps: mapspec[90] general protection fault ip:5581 sp:7ffe error:0 in mapspec",
           "mapspec[91]: segfault at 0 ip 00007f sp 00007f error 6 in libc.so.6",
           "kmemleak: Kernel memory leak detector initialized (mem pool available: 15664)",
           "KASAN: KernelAddressSanitizer initialized",
           "kcsan: enabled early",
           "kfence: initialized - using 2097152 bytes for 255 objects",
           "NMI watchdog: Perf NMI watchdog permanently disabled",
           "ACPI BIOS Error (bug): Failure creating named object",
           "x86/mm: Checked W+X mappings: passed, no W+X pages found.",
           "#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-3",
           "Debugging bugs: see BUG: in the manual",
           "device0: entered promiscuous mode",
       }) {
    EXPECT_EQ(ConsoleFindingId(line), "") << line;
    EXPECT_TRUE(Scan(std::string("[    1.000000] ") + line).empty()) << line;
  }
}

TEST(ConsoleScanner, ReportsOfSanitizersEndAtTheRule) {
  const std::vector<ConsoleFinding> findings = Scan(
      "[    3.0] ==================================================================\n"
      "[    3.0] BUG: KASAN: slab-out-of-bounds in htab_map_hash+0x1c/0x30\n"
      "[    3.0] Read of size 8 at addr ffff888004b5d000 by task mapspec/90\n"
      "[    3.0] Call Trace:\n"
      "[    3.0]  dump_stack_lvl+0x34/0x44\n"
      "[    3.0] ==================================================================\n"
      "[    3.1] Disabling lock debugging due to kernel taint\n");
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].lines.size(), 4u);
}

TEST(ConsoleScanner, ALongReportIsCutAndADifferentOneBeginsAnother) {
  std::string text = "INFO: task mapspec:87 blocked for more than 120 seconds.\n";
  for (int i = 0; i < 500; ++i) text += "  schedule+0x5f/0xd0\n";
  text += "rcu: INFO: rcu_preempt self-detected stall on CPU\n";
  const std::vector<ConsoleFinding> findings = Scan(text);
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_LE(findings[0].lines.size(), 100u);
  EXPECT_EQ(findings[1].id, "console.rcu-stall");
}

TEST(ConsoleScanner, KnowsWhichReportsAreAboutTimeOnly) {
  for (const char* id : {"console.lockup", "console.rcu-stall", "console.hung-task"}) {
    EXPECT_TRUE(IsAboutTime(id)) << id;
  }
  for (const char* id : {"console.oops", "console.panic", "console.kasan", "console.lockdep"}) {
    EXPECT_FALSE(IsAboutTime(id)) << id;
  }
}

TEST(ConsoleScanner, TellsTheLastLinesAndWhetherTheKernelSpoke) {
  ConsoleScanner scanner;
  scanner.AddLine("qemu-system-x86_64: warning: host doesn't support requested feature");
  EXPECT_FALSE(scanner.kernel_spoke());
  for (int i = 0; i < 50; ++i) scanner.AddLine("[    0.000000] line " + std::to_string(i));
  EXPECT_TRUE(scanner.kernel_spoke());
  ASSERT_FALSE(scanner.LastLines().empty());
  EXPECT_LE(scanner.LastLines().size(), 20u);
  EXPECT_EQ(scanner.LastLines().back(), "[    0.000000] line 49");
}

}  // namespace
}  // namespace mapspec
