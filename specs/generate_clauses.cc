// SPDX-License-Identifier: MIT
//
// Build-time tool: generate_clauses OUTPUT_DIR FILE.yaml... writes oracle/clauses.gen.h,
// oracle/clauses.gen.cc and specs/embedded_specs.gen.cc below OUTPUT_DIR. A file whose content
// would not change is left alone, so that a changed scenario does not rebuild the models. Exit
// status: 0, 1 when something cannot be written, 2 for an error in a YAML file.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

#include "specs/clause_generator.h"
#include "specs/spec_loader.h"

namespace fs = std::filesystem;

namespace {

std::string ReadAll(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

bool WriteIfChanged(const fs::path& path, const std::string& text) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (fs::exists(path, error) && ReadAll(path) == text) return true;
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (out.good()) return true;
  std::cerr << path.string() << ": cannot be written\n";
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: generate_clauses OUTPUT_DIR FILE.yaml...\n";
    return 2;
  }
  const std::vector<std::string> paths(argv + 2, argv + argc);
  const mapspec::LoadedSpecs loaded = mapspec::LoadSpecPaths(paths, {});
  for (const mapspec::SpecError& error : loaded.errors) std::cerr << error.ToString() << '\n';
  if (!loaded.ok()) return 2;
  std::vector<mapspec::SpecText> texts;
  for (const std::string& path : paths) {
    texts.push_back({"specs/" + fs::path(path).filename().string(), ReadAll(path)});
  }
  const fs::path out(argv[1]);
  const bool written =
      WriteIfChanged(out / "oracle/clauses.gen.h", mapspec::ClausesHeader(loaded.specs)) &&
      WriteIfChanged(out / "oracle/clauses.gen.cc", mapspec::ClausesTable(loaded.specs)) &&
      WriteIfChanged(out / "specs/embedded_specs.gen.cc", mapspec::EmbeddedSpecs(texts));
  return written ? 0 : 1;
}
