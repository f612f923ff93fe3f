// SPDX-License-Identifier: MIT
#include "oracle/trace_json.h"

#include <cstring>
#include <utility>

#include "oracle/trace_json_fields.h"

namespace mapspec {
namespace {

constexpr size_t kMaxLine = size_t{16} << 20;
constexpr size_t kMaxOperations = 10'000'000;
constexpr std::string_view kScriptKey = "mapspec_script";
constexpr std::string_view kTraceKey = "mapspec_trace";

// Reads lines of bounded length. std::getline would take in a line of any length first.
class LineReader {
 public:
  explicit LineReader(std::istream& in) : in_(in), chunk_(kChunk, '\0') {}

  // The next line that is not blank; false at the end or when something is wrong (then *message
  // says what).
  bool Next(std::string_view* line, std::string* message) {
    do {
      if (!NextRaw(line, message)) return false;
    } while (line->find_first_not_of(" \t\r") == std::string_view::npos);
    return true;
  }
  size_t number() const { return number_; }
  uint64_t bytes() const { return bytes_; }

 private:
  static constexpr size_t kChunk = size_t{1} << 16;

  bool NextRaw(std::string_view* line, std::string* message) {
    line_.clear();
    ++number_;
    while (true) {
      if (at_ == end_ && !Fill()) {
        if (in_.bad()) {
          *message = "the file cannot be read";
          return false;
        }
        *line = line_;
        return !line_.empty();
      }
      const char* const from = chunk_.data() + at_;
      const void* const newline = std::memchr(from, '\n', end_ - at_);
      const size_t size = newline == nullptr
                              ? end_ - at_
                              : static_cast<size_t>(static_cast<const char*>(newline) - from);
      at_ += size + (newline != nullptr ? 1 : 0);
      if (line_.size() + size > kMaxLine) {
        *message = "the line is longer than " + std::to_string(kMaxLine) + " bytes";
        return false;
      }
      if (newline != nullptr && line_.empty()) {
        // The usual case: the whole line lies in the chunk.
        *line = std::string_view(from, size);
        return true;
      }
      line_.append(from, size);
      if (newline != nullptr) {
        *line = line_;
        return true;
      }
    }
  }
  bool Fill() {
    in_.read(chunk_.data(), static_cast<std::streamsize>(chunk_.size()));
    at_ = 0;
    end_ = static_cast<size_t>(in_.gcount());
    bytes_ += end_;
    return end_ != 0;
  }

  std::istream& in_;
  std::string chunk_;
  size_t at_ = 0;
  size_t end_ = 0;
  std::string line_;
  size_t number_ = 0;
  uint64_t bytes_ = 0;
};

void EnvironmentFields(auto& archive, auto& environment) {
  // Limits: those of any Linux (CONFIG_NR_CPUS, CONFIG_NODES_SHIFT, the largest pages of an
  // architecture), so that a judge may size things by them.
  archive.Text("backend", environment.backend);
  archive.Text("implementation", environment.implementation);
  archive.Text("kernel_release", environment.kernel_release);
  archive.Text("machine", environment.machine);
  archive.NumberIn("possible_cpus", environment.possible_cpus, 1u, 65536u);
  archive.NumberIn("page_size", environment.page_size, 1u, 1u << 24);
  archive.NumberIn("numa_nodes", environment.numa_nodes, 1u, 65536u);
  archive.NumberIn("unprivileged_bpf_disabled", environment.unprivileged_bpf_disabled, 0u, 2u);
}

void AppendEnvironment(const Environment& environment, std::string* out) {
  FieldWriter writer(out);
  EnvironmentFields(writer, environment);
  writer.End();
}

bool ReadEnvironment(const JsonValue& object, std::string_view where, Environment* environment,
                     std::string* message) {
  FieldReader reader(object, where);
  EnvironmentFields(reader, *environment);
  if (const JsonValue* const size = reader.Find("page_size");
      size != nullptr && (environment->page_size & (environment->page_size - 1)) != 0) {
    reader.Fail("page_size", "a power of two", *size);
  }
  if (reader.Finish("an environment")) return true;
  *message = reader.message();
  return false;
}

bool SetError(ParseError* error, std::string message) {
  if (error != nullptr) error->message = std::move(message);
  return false;
}

// The first line: which kind of file it is, and in which version of the format.
bool ReadHeader(const JsonValue& object, std::string_view wanted, Trace* trace,
                std::string* message) {
  FieldReader reader(object, "");
  const std::string_view other = wanted == kScriptKey ? kTraceKey : kScriptKey;
  const std::string expected = "{\"" + std::string(wanted) + "\": 1, ...} as the first line";
  const JsonValue* const version = reader.Find(wanted);
  if (version == nullptr) {
    const JsonValue* const kind = reader.Find(other);
    *message = "expected " + expected;
    if (kind != nullptr) *message += "; this is a " + std::string(other.substr(8));
    return false;
  }
  if (version->kind != JsonValue::Kind::kUnsigned || version->number != kTraceFormatVersion) {
    *message = "format version " + DescribeJson(*version) + "; this program reads version " +
               std::to_string(kTraceFormatVersion);
    return false;
  }
  reader.Text("name", trace->name);
  if (wanted == kTraceKey) {
    reader.Text("profile", trace->profile);
    const JsonValue* const environment = reader.Require("environment", "an object");
    if (environment != nullptr && environment->kind != JsonValue::Kind::kObject) {
      reader.Fail("environment", "an object", *environment);
    } else if (environment != nullptr &&
               !ReadEnvironment(*environment, "environment.", &trace->environment, message)) {
      return false;
    }
  }
  if (reader.Finish("the first line")) return true;
  *message = reader.message();
  return false;
}

size_t HeapBytes(const Outcome& outcome) {
  const auto heap = [](const Bytes& b) { return b.size() > Bytes::kInline ? b.size() : 0; };
  if (const auto* const bytes = std::get_if<Bytes>(&outcome.output)) return heap(*bytes);
  if (const auto* const batch = std::get_if<Boxed<BatchOutput>>(&outcome.output)) {
    return heap((*batch)->out_batch) + heap((*batch)->keys) + heap((*batch)->values);
  }
  return 0;
}

// Reads the lines after the header into `trace`; a script has no outcomes.
class FileReader {
 public:
  FileReader(std::istream& in, std::string_view kind) : lines_(in), kind_(kind) {}

  bool Read(Trace* trace, std::string* message) {
    std::string_view line;
    if (!lines_.Next(&line, message)) {
      if (message->empty()) {
        *message = "the file is empty; expected {\"" + std::string(kind_) +
                   "\": 1, ...} as the first line";
      }
      return false;
    }
    JsonValue object;
    if (!ParseJsonObject(line, &object, message) || !ReadHeader(object, kind_, trace, message)) {
      return false;
    }
    while (lines_.Next(&line, message)) {
      if (trace->operations.size() == kMaxOperations) {
        *message = "more than " + std::to_string(kMaxOperations) + " operations";
        return false;
      }
      if (!ParseJsonObject(line, &object, message) || !Line(object, trace, message)) return false;
    }
    return message->empty();
  }
  size_t line() const { return lines_.number(); }

 private:
  bool Line(const JsonValue& object, Trace* trace, std::string* message) {
    FieldReader reader(object, "");
    Operation operation;
    Outcome outcome;
    bool has_outcome = false;
    if (ReadOperationFields(reader, &operation) && kind_ == kTraceKey) {
      if (const JsonValue* const found = reader.Find("outcome")) {
        if (found->kind != JsonValue::Kind::kObject) {
          reader.Fail("outcome", "an object such as {\"error\": \"ENOENT\"}", *found);
        } else if (!ReadOutcome(*found, "outcome.", &outcome, message)) {
          return false;
        }
        has_outcome = true;
      }
    }
    if (!reader.Finish(OperationName(operation.call))) {
      *message = reader.message();
      return false;
    }
    if (has_outcome && trace->outcomes.size() != trace->operations.size()) {
      *message = "an outcome after an operation without one (line " +
                 std::to_string(first_without_) + "); only the last operations may lack theirs";
      return false;
    }
    if (!has_outcome && first_without_ == 0) first_without_ = line();
    if (has_outcome) {
      heap_bytes_ += HeapBytes(outcome);
      if (heap_bytes_ > kMaxUntouchedTotal + lines_.bytes()) {
        *message = "the untouched buffers up to here hold more than " +
                   std::to_string(kMaxUntouchedTotal) + " bytes";
        return false;
      }
      trace->outcomes.push_back(std::move(outcome));
    }
    trace->operations.push_back(std::move(operation));
    return true;
  }

  LineReader lines_;
  std::string_view kind_;
  size_t first_without_ = 0;
  uint64_t heap_bytes_ = 0;
};

std::optional<Trace> ReadFile(std::istream& in, std::string_view file, std::string_view kind,
                              ParseError* error) {
  Trace trace;
  std::string message;
  FileReader reader(in, kind);
  if (reader.Read(&trace, &message)) return trace;
  if (error != nullptr) *error = ParseError{std::string(file), reader.line(), std::move(message)};
  return std::nullopt;
}

}  // namespace

std::string ParseError::ToString() const {
  if (file.empty() && line == 0) return message;
  return file + (line == 0 ? "" : ":" + std::to_string(line)) + ": " + message;
}

std::string OperationToJson(const Operation& operation) {
  std::string json;
  FieldWriter writer(&json);
  WriteOperationFields(operation, writer);
  writer.End();
  return json;
}

std::string OutcomeToJson(const Outcome& outcome) {
  std::string json;
  AppendOutcome(outcome, OutputNames(), &json);
  return json;
}

std::string EnvironmentToJson(const Environment& environment) {
  std::string json;
  AppendEnvironment(environment, &json);
  return json;
}

void WriteScript(const Script& script, std::ostream& out) {
  std::string line;
  FieldWriter header(&line);
  header.Number(kScriptKey, uint32_t{kTraceFormatVersion});
  header.Text("name", script.name);
  header.End();
  out << line << '\n';
  for (const Operation& operation : script.operations) {
    line.clear();
    FieldWriter writer(&line);
    WriteOperationFields(operation, writer);
    writer.End();
    out << line << '\n';
  }
}

void WriteTrace(const Trace& trace, std::ostream& out) {
  std::string line;
  FieldWriter header(&line);
  header.Number(kTraceKey, uint32_t{kTraceFormatVersion});
  header.Text("name", trace.name);
  header.Text("profile", trace.profile);
  header.Key("environment");
  AppendEnvironment(trace.environment, &line);
  header.End();
  out << line << '\n';
  for (size_t i = 0; i < trace.operations.size(); ++i) {
    line.clear();
    FieldWriter writer(&line);
    WriteOperationFields(trace.operations[i], writer);
    if (i < trace.outcomes.size()) {
      writer.Key("outcome");
      AppendOutcome(trace.outcomes[i], OutputNamesOf(trace.operations[i].call), &line);
    }
    writer.End();
    out << line << '\n';
  }
}

std::optional<Operation> OperationFromJson(std::string_view line, ParseError* error) {
  JsonValue object;
  std::string message;
  Operation operation;
  if (ParseJsonObject(line, &object, &message)) {
    FieldReader reader(object, "");
    if (ReadOperationFields(reader, &operation) && reader.Finish(OperationName(operation.call))) {
      return operation;
    }
    message = reader.message();
  }
  SetError(error, std::move(message));
  return std::nullopt;
}

std::optional<Outcome> OutcomeFromJson(std::string_view line, ParseError* error) {
  JsonValue object;
  std::string message;
  Outcome outcome;
  if (ParseJsonObject(line, &object, &message) && ReadOutcome(object, "", &outcome, &message)) {
    return outcome;
  }
  SetError(error, std::move(message));
  return std::nullopt;
}

std::optional<Environment> EnvironmentFromJson(std::string_view line, ParseError* error) {
  JsonValue object;
  std::string message;
  Environment environment;
  if (ParseJsonObject(line, &object, &message) &&
      ReadEnvironment(object, "", &environment, &message)) {
    return environment;
  }
  SetError(error, std::move(message));
  return std::nullopt;
}

std::optional<Script> ReadScript(std::istream& in, std::string_view file, ParseError* error) {
  std::optional<Trace> read = ReadFile(in, file, kScriptKey, error);
  if (!read) return std::nullopt;
  return Script{std::move(read->name), std::move(read->operations)};
}

std::optional<Trace> ReadTrace(std::istream& in, std::string_view file, ParseError* error) {
  return ReadFile(in, file, kTraceKey, error);
}

}  // namespace mapspec
