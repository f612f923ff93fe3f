// SPDX-License-Identifier: MIT
//
// mapspec: an executable specification of eBPF maps, as a command.
#include <fmt/format.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "runners/commands.h"
#include "runners/freed_memory.h"
#include "runners/report.h"

namespace mapspec {
namespace {

constexpr const char* kFooter = R"(Examples
  mapspec run                                     the embedded userspace library, all clauses
  mapspec run --backend kernel --effort normal    the running kernel (needs CAP_BPF or root)
  mapspec run --backend library:./libmaps.so --filter 'queue.*'
  mapspec fuzz --backend kernel --backend userspace --time 60s
  mapspec report k.json u.json --html matrix.html
  mapspec record --backend kernel queue.script > t.jsonl && mapspec check t.jsonl

Exit status
  0 everything conforms, listed deviations included   1 a violation, or a deviation that vanished
  2 bad usage or bad input                            3 a backend could not be used or died
  130 interrupted; reports of what was done are written

`mapspec COMMAND --help` tells more.)";

std::vector<std::string> OptionNames(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

// CLI11 says what is wrong; the nearest right name has to come from here.
std::string Hint(const CLI::App& app, const std::vector<std::string>& rest) {
  for (const std::string& word : rest) {
    for (const CLI::App* command : app.get_subcommands()) {
      const std::string hint = DidYouMean(word.substr(0, word.find('=')), OptionNames(*command));
      if (!hint.empty()) return hint;
    }
  }
  return "";
}

int Main(int argc, char** argv) {
  // A reader that goes away (mapspec list clauses | head) ends the command quietly, as it does
  // others.
  signal(SIGPIPE, SIG_DFL);
  KeepFreedMemory();
  std::vector<std::string> words(argv + 1, argv + argc), gtest_flags;
  std::erase_if(words, [&](const std::string& word) {
    if (word.rfind("--gtest_", 0) != 0) return false;
    gtest_flags.push_back(word);
    return true;
  });

  int status = 0;
  CLI::App app(
      "mapspec: an executable specification of eBPF maps.\n"
      "It asks an implementation (a kernel, a library) what its maps do, and judges every answer\n"
      "by the clause that promises it.",
      "mapspec");
  app.set_version_flag("--version", fmt::format("mapspec {}", kMapspecVersion));
  app.footer(kFooter);
  app.require_subcommand(1);
  AddListCommand(app, &status);
  AddRunCommand(app, gtest_flags, &status);
  AddFuzzCommand(app, &status);
  AddCheckCommand(app, &status);
  AddRecordCommand(app, &status);
  AddShrinkCommand(app, &status);
  AddReproCommand(app, &status);
  AddReportCommand(app, &status);
  AddCompareCommand(app, &status);
  AddMeasureCommand(app, &status);
  AddAgentCommand(app, &status);
  AddKernelsCommand(app, &status);
  AddGuestCommand(app, &status);

  if (words.empty()) {
    fmt::print(stderr, "{}", app.help());
    return 2;
  }
  if (words[0].rfind('-', 0) != 0) {
    std::vector<std::string> commands;
    for (const CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) {
      commands.push_back(command->get_name());
    }
    if (std::find(commands.begin(), commands.end(), words[0]) == commands.end()) {
      std::string hint = DidYouMean(words[0], commands);
      if (hint.empty()) hint = "; see mapspec --help";
      return UsageError(fmt::format("unknown command `{}`{}", words[0], hint));
    }
    if (words[0] != "run" && !gtest_flags.empty()) {
      return UsageError(fmt::format("{} belongs to mapspec run", gtest_flags[0]));
    }
  }
  try {
    std::reverse(words.begin(), words.end());  // CLI11 takes the last word first.
    app.parse(words);
  } catch (const CLI::Success& e) {
    return app.exit(e);
  } catch (const CLI::ExtrasError& e) {
    std::string what = e.what();
    return UsageError(what + Hint(app, app.remaining(true)));
  } catch (const CLI::ParseError& e) {
    return UsageError(e.what());
  }
  return status;
}

}  // namespace
}  // namespace mapspec

int main(int argc, char** argv) { return mapspec::Main(argc, argv); }
