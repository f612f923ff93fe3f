// SPDX-License-Identifier: MIT
//
// Reproducers: what stands around the calls, the comment above them and main() below.
#include <fmt/format.h>

#include "runners/repro_writer.h"
#include "runners/text.h"

namespace mapspec {
namespace {

// In how many orders of a hash an answer has to be right before it is believed.
constexpr int kRightOrders = 20;

}  // namespace

std::string ReproWriter::Comment() const {
  std::string text;
  const auto line = [&text](const std::string& content) {
    // Nothing that was recorded ends the comment.
    std::string safe = content;
    for (size_t at = safe.find("*/"); at != std::string::npos; at = safe.find("*/", at)) {
      safe.replace(at, 2, "* /");
    }
    for (size_t at = safe.find("/*"); at != std::string::npos; at = safe.find("/*", at)) {
      safe.replace(at, 2, "/ *");
    }
    text += safe;
  };
  if (verdict_.judgement.violated != kNoClause) {
    const Clause& clause = GetClause(verdict_.judgement.violated);
    line(fmt::format("{} ({})\n\n", clause.id, LevelName(clause.level)));
    line(Folded("claim", clause.claim));
    line(Folded("source", fmt::format("{}, {}", clause.document, clause.section)));
  }
  line(Folded("seen on", fmt::format("{} ({}), held to {}", trace_.environment.implementation,
                                     trace_.environment.backend, profile_.name)));
  line(Folded("expected", Shortened(verdict_.judgement.expected)));
  line(Folded("got", Shortened(verdict_.judgement.got)));
  line("\n");
  if (target_.library.empty()) {
    line(Folded("run",
                "cc -Wall -Wextra -O2 repro.c -lbpf -o repro && ./repro      (libbpf 1.1 or "
                "later; CAP_BPF or root)"));
  } else {
    line(
        Folded("run", "cc -Wall -Wextra -O2 repro.c -lbpf -o repro && ./repro [LIBRARY | kernel]"));
    line(Folded("", fmt::format("loads {} in front of libbpf, unless LD_PRELOAD or the first "
                                "argument names another one",
                                target_.library)));
  }
  line(Folded("status", "1: the violation is there; 0: it is not; 2: it could not be carried out"));
  if (!exact_) {
    line(Folded("note",
                "what would be right has no form in C: status 1 says that the answer is "
                "the wrong one that was seen, 0 that it is any other"));
  }
  if (walks_) {
    line(Folded("note",
                "a hash has an order of its own each time; the script is tried until it is "
                "that in which the violation was seen, and several times if it is not there"));
  }
  std::string comment = "/*\n";
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    const std::string content = text.substr(at, end - at);
    comment += content.empty() ? " *\n" : " * " + content + "\n";
    at = end + 1;
  }
  return comment + " */\n";
}

std::string ReproWriter::Main() const {
  const bool crash = verdict_.index < trace_.outcomes.size() &&
                     (trace_.outcomes[verdict_.index].completion == Completion::kCrashed ||
                      trace_.outcomes[verdict_.index].completion == Completion::kHung);
  const bool library = !target_.library.empty();
  const bool directory = library && pins_used_;
  std::string text = library ? "int main(int argc, char **argv)\n{\n" : "int main(void)\n{\n";
  const std::string choose =
      library ? fmt::format("\tchoose_library(argc, argv, {});\n", CString(target_.library)) : "";
  if (!crash && !walks_ && !directory) return text + choose + "\treturn script();\n}\n";
  if (walks_) text += "\tint attempt = 0, right = 0;\n";
  text += "\tint status;\n\tpid_t child;\n\n" + choose;
  if (directory) {
    text +=
        "\tif (getenv(\"LD_PRELOAD\") && *getenv(\"LD_PRELOAD\")) {\n"
        "\t\tstrcpy(directory, \"/tmp/repro-XXXXXX\");\n"
        "\t\tif (mkdtemp(directory) == NULL)\n\t\t\tunable(directory);\n\t}\n";
  }
  // A pin that one attempt leaves would be in the way of the next.
  const int right_orders = pins_used_ ? 1 : kRightOrders;
  const std::string in = walks_ ? "\t\t" : "\t";
  if (walks_) text += "\tsetvbuf(stdout, NULL, _IOFBF, 1 << 16);\n\tdo {\n";
  text += in + "fflush(stdout);\n" + in + "child = fork();\n" + in + "if (child == 0) {\n" + in +
          "\talarm(10);\n";
  if (walks_) {
    text +=
        "\t\t\tstatus = script();\n"
        "\t\t\t/* Another order may show it: what was printed in this one is dropped. */\n" +
        fmt::format("\t\t\tif (status == OTHER_ORDER || (status == 0 && right + 1 < {}))\n",
                    right_orders) +
        "\t\t\t\t_exit(status);\n"
        "\t\t\texit(status);\n";
  } else {
    text += "\t\texit(script());\n";
  }
  text += in + "}\n" + in + "if (child < 0 || waitpid(child, &status, 0) != child)\n" + in +
          "\tunable(\"fork\");\n";
  if (walks_) {
    text +=
        "\t\tright += WIFEXITED(status) && WEXITSTATUS(status) == 0;\n"
        "\t} while (WIFEXITED(status) &&\n"
        "\t\t ((WEXITSTATUS(status) == OTHER_ORDER && ++attempt < 2000) ||\n" +
        fmt::format("\t\t  (WEXITSTATUS(status) == 0 && right < {})));\n", right_orders);
  }
  if (directory) text += "\tif (directory[0] != 0)\n\t\tremove_directory();\n";
  if (walks_) {
    text +=
        "\tif (attempt == 2000 && right > 0) {\n\t\tprintf(\"as promised, in each of %d "
        "orders\\n\", right);\n\t\treturn 0;\n\t}\n"
        "\tif (attempt == 2000) {\n\t\tprintf(\"could not be carried out: the order of the "
        "trace did not come up\\n\");\n\t\treturn 2;\n\t}\n";
  }
  text +=
      "\tif (WIFSIGNALED(status))\n\t\tprintf(\"ended by signal %d (%s)\\n\", WTERMSIG(status), "
      "strsignal(WTERMSIG(status)));\n";
  if (crash) {
    text +=
        "\t/* 0 and 2 are what script() says; anything else came in its way. */\n"
        "\tif (WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 2))\n"
        "\t\treturn WEXITSTATUS(status);\n\treturn 1;\n}\n";
  } else {
    text += "\treturn WIFEXITED(status) ? WEXITSTATUS(status) : 2;\n}\n";
  }
  return text;
}

}  // namespace mapspec
