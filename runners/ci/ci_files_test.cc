// SPDX-License-Identifier: MIT
//
// The files in runners/ci/ are copied into other people's trees: they have the shape that their
// systems expect, the commands in them are accepted by this mapspec, and write what is collected.
// Carried out with a small filter, on a backend that needs no kernel.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <regex>
#include <sstream>

#include "runners/cli_harness.h"
#include "specs/yaml_tree.h"

namespace mapspec {
namespace {

const std::string kSource = MAPSPEC_SOURCE_DIR;

YamlNode Read(const std::string& name) {
  const std::string text = ReadFile(kSource + "/runners/ci/" + name);
  SpecError error;
  const std::optional<YamlNode> root = ParseYaml(name, text, &error);
  EXPECT_TRUE(root) << error.ToString();
  EXPECT_FALSE(text.empty()) << name;
  return root.value_or(YamlNode());
}

// The node at "jobs.maps.steps"; an empty one after a failure.
const YamlNode& At(const YamlNode& root, const std::string& path) {
  static const YamlNode none;
  const YamlNode* node = &root;
  std::istringstream names(path);
  for (std::string name; std::getline(names, name, '.');) {
    node = node->Find(name);
    if (node == nullptr) {
      ADD_FAILURE() << "no " << path;
      return none;
    }
  }
  return *node;
}

std::vector<std::string> Texts(const YamlNode& list) {
  std::vector<std::string> texts;
  for (const YamlNode& item : list.items) texts.push_back(item.text);
  return texts;
}

// The `run` of each step.
std::vector<std::string> ScriptsOfWorkflow(const YamlNode& root) {
  std::vector<std::string> scripts;
  for (const YamlNode& step : At(root, "jobs.maps.steps").items) {
    if (const YamlNode* run = step.Find("run")) scripts.push_back(run->text);
  }
  return scripts;
}

// The lines of shell scripts that call mapspec, with lines that go on put together.
std::vector<std::string> Calls(const std::vector<std::string>& scripts) {
  std::vector<std::string> calls;
  for (const std::string& script : scripts) {
    std::istringstream lines(std::regex_replace(script, std::regex(R"(\\\n *)"), ""));
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("mapspec ")) calls.push_back(line);
    }
  }
  return calls;
}

// Carries out a script in `directory`, `mapspec` being ours, `backend` in the kernel's place.
CommandResult Carry(std::string script, const std::string& backend, const Directory& directory) {
  script = std::regex_replace(script, std::regex("--backend [^ ]+"), "--backend " + backend);
  script = std::regex_replace(script, std::regex("mapspec run "),
                              "mapspec run --profile linux-6.18 --filter 'queue.pop.*' ");
  const std::string ours = std::filesystem::path(MAPSPEC_COMMAND).parent_path();
  return Command({"env", "GITHUB_STEP_SUMMARY=" + (directory / "summary"), "sh", "-ec",
                  "PATH=" + directory.path() + ":" + ours + ":$PATH\ncd " + directory.path() +
                      "\n" + script})
      .Wait();
}

// Both ways: on what conforms and on what does not; then everything that is kept is there.
void ExpectCallsWork(const std::vector<std::string>& calls, size_t runs,
                     const std::vector<std::string>& kept) {
  for (const auto& [backend, status] : {std::pair("userspace", 0), {"null:no-output", 1}}) {
    const Directory directory;
    size_t seen = 0;
    for (const std::string& call : calls) {
      const bool is_run = call.starts_with("mapspec run ");
      seen += is_run;
      // What `make bzImage` builds; it is not there now.
      EXPECT_TRUE(!is_run || call.find(" --backend qemu:arch/x86/boot/bzImage ") != call.npos);
      const CommandResult result = Carry(call, backend, directory);
      EXPECT_EQ(result.status, is_run ? status : 0) << call << "\n" << result.err;
    }
    EXPECT_EQ(seen, runs);
    for (const std::string& path : kept) {
      // Failures leave files; there are none where everything conforms.
      if (status == 0 && path == "mapspec-out/") continue;
      EXPECT_TRUE(std::filesystem::exists(directory / path)) << path << " of " << backend;
    }
    EXPECT_EQ(ReadFile(directory / "mapspec.xml").find("<failure ") != std::string::npos,
              status == 1);
  }
}

void ExpectFilesOfOursExist(const std::vector<std::string>& scripts) {
  size_t found = 0;
  const std::regex ours("mapspec/(runners/[^ \n]+)");
  for (const std::string& script : scripts) {
    for (std::sregex_iterator at(script.begin(), script.end(), ours), end; at != end; ++at) {
      ++found;
      EXPECT_TRUE(std::filesystem::exists(kSource + "/" + (*at)[1].str())) << (*at)[1];
    }
  }
  EXPECT_GT(found, 1u);
}

TEST(CiFiles, TheGithubWorkflowsCommandsWorkAndWriteWhatIsUploaded) {
  const YamlNode root = Read("github.yml");
  EXPECT_TRUE(At(root, "on").IsList());
  EXPECT_TRUE(At(root, "jobs.maps.runs-on").IsScalar());
  const std::vector<std::string> scripts = ScriptsOfWorkflow(root);
  ExpectFilesOfOursExist(scripts);
  ASSERT_FALSE(scripts.empty());
  const YamlNode& upload = At(root, "jobs.maps.steps").items.back();
  EXPECT_TRUE(At(upload, "uses").text.starts_with("actions/upload-artifact@"));
  // What fails is what one wants to look at.
  EXPECT_EQ(At(upload, "if").text, "always()");
  std::vector<std::string> kept = {"summary"};
  std::istringstream paths(At(upload, "with.path").text);
  for (std::string path; std::getline(paths, path);) kept.push_back(path);
  EXPECT_EQ(kept.size(), 5u);
  ExpectCallsWork(Calls(scripts), 1, kept);
}

TEST(CiFiles, TheGitlabFilesCommandsWorkAndWriteWhatIsKept) {
  const YamlNode root = Read("gitlab.yml");
  const std::vector<std::string> scripts = Texts(At(root, "maps.script"));
  ExpectFilesOfOursExist(scripts);
  EXPECT_EQ(At(root, "maps.artifacts.when").text, "always");
  std::vector<std::string> kept = Texts(At(root, "maps.artifacts.paths"));
  kept.push_back(At(root, "maps.artifacts.reports.junit").text);
  EXPECT_EQ(kept.size(), 5u);
  ExpectCallsWork(Calls(scripts), 1, kept);
}

// What LAVA's helper was told, a line for each call.
std::vector<std::string> CasesOfLava(const std::string& backend) {
  const YamlNode root = Read("lava.yaml");
  EXPECT_EQ(At(root, "metadata.format").text, "Lava-Test Test Definition 1.0");
  EXPECT_EQ(At(root, "metadata.name").text, "mapspec");
  EXPECT_TRUE(At(root, "metadata.description").IsScalar());
  const Directory directory;
  std::filesystem::permissions(
      directory.Write("lava-test-case", "#!/bin/sh\necho \"$@\" >> cases\n"),
      std::filesystem::perms::owner_all);
  std::string script;
  for (const std::string& step : Texts(At(root, "run.steps"))) script += step + "\n";
  const CommandResult result = Carry(script, backend, directory);
  EXPECT_EQ(result.status, 0) << result.err;
  std::vector<std::string> cases;
  std::istringstream lines(ReadFile(directory / "cases"));
  for (std::string line; std::getline(lines, line);) cases.push_back(line);
  if (cases.empty()) cases.emplace_back("no case at all");
  // One for each test of the KTAP report, which it also prints, and one for all of it.
  std::smatch plan;
  EXPECT_TRUE(std::regex_search(result.out, plan, std::regex(R"(\n  1\.\.(\d+)\n)"))) << result.out;
  EXPECT_EQ(std::to_string(cases.size() - 1), plan[1]);
  const std::regex well_formed("[A-Za-z0-9._-]+ --result (pass|fail|skip)");
  for (const std::string& line : cases) EXPECT_TRUE(std::regex_match(line, well_formed)) << line;
  return cases;
}

size_t CountEnding(const std::vector<std::string>& lines, const std::string& ending) {
  return static_cast<size_t>(std::count_if(
      lines.begin(), lines.end(), [&](const std::string& line) { return line.ends_with(ending); }));
}

TEST(CiFiles, TheLavaDefinitionTellsEachTestAsACase) {
  const std::vector<std::string> good = CasesOfLava("userspace");
  EXPECT_EQ(good.back(), "mapspec-run --result pass");
  EXPECT_EQ(CountEnding(good, " fail"), 0u);
  EXPECT_GT(CountEnding(good, " pass"), 5u);
  // What programs do cannot be asked there.
  EXPECT_GT(CountEnding(good, " skip"), 0u);
  const std::vector<std::string> bad = CasesOfLava("null:no-output");
  EXPECT_EQ(bad.back(), "mapspec-run --result fail");
  EXPECT_GT(CountEnding(bad, " fail"), 1u);
}

TEST(CiFiles, TheKernelConfigurationIsAFragment) {
  std::istringstream lines(ReadFile(kSource + "/runners/ci/mapspec.config"));
  size_t options = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.starts_with("# ")) continue;
    EXPECT_TRUE(line == "#" || std::regex_match(line, std::regex("CONFIG_[A-Z0-9_]+=y"))) << line;
    options += line.starts_with("CONFIG_");
  }
  EXPECT_GT(options, 20u);
}

}  // namespace
}  // namespace mapspec
