// SPDX-License-Identifier: MIT
#include "specs/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <exception>
#include <sstream>
#include <utility>

namespace mapspec {
namespace {

Position At(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {static_cast<size_t>(mark.line) + 1, static_cast<size_t>(mark.column) + 1};
}

YamlNode MakeNode(YamlNode::Kind kind, Position position) {
  YamlNode node;
  node.kind = kind;
  node.position = position;
  return node;
}

// Leaves yaml-cpp's parser from inside an event; caught in ParseYaml.
struct Refused {
  Position position;
  std::string message;
};

// Builds the tree from the parser's events. Refusing in the event that goes too far keeps memory
// and the parser's recursion bounded, which looking at a finished YAML::Node could not.
class TreeBuilder : public YAML::EventHandler {
 public:
  YamlNode Take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) throw Refused{At(mark), "a second document; a file holds one"};
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Plain(mark, anchor);
    Add(MakeNode(YamlNode::Kind::kNull, At(mark)));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw Refused{At(mark), "aliases (*name) are not allowed here; write the text out"};
  }
  void OnAnchor(const YAML::Mark& mark, const std::string& name) override {
    throw Refused{At(mark), "anchors (&" + name + ") are not allowed here; write the text out"};
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Plain(mark, anchor);
    // yaml-cpp's tags for scalars that have none of their own: "!" in quotes or a block, "?" or ""
    // plain.
    if (tag != "!" && tag != "?" && !tag.empty()) RefuseTag(mark, tag);
    if (!open_.empty() && open_.back().node.IsMapping() && !open_.back().has_key) {
      TakeKey(mark, value);
      return;
    }
    YamlNode scalar = MakeNode(YamlNode::Kind::kScalar, At(mark));
    scalar.text = value;
    scalar.quoted = tag == "!";
    Add(std::move(scalar));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Start(mark, tag, anchor, YamlNode::Kind::kList);
  }
  void OnSequenceEnd() override { End(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Start(mark, tag, anchor, YamlNode::Kind::kMapping);
  }
  void OnMapEnd() override { End(); }

 private:
  struct Open {
    YamlNode node;
    bool has_key = false;  // Of a mapping: the last field waits for its value.
  };

  void Plain(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != 0) throw Refused{At(mark), "anchors are not allowed here; write the text out"};
    if (++nodes_ > kMaxYamlNodes) {
      throw Refused{At(mark), "more than " + std::to_string(kMaxYamlNodes) + " nodes"};
    }
  }
  [[noreturn]] static void RefuseTag(const YAML::Mark& mark, const std::string& tag) {
    throw Refused{At(mark), "tags (`" + tag + "`) are not allowed here"};
  }
  void TakeKey(const YAML::Mark& mark, const std::string& name) {
    Open& mapping = open_.back();
    for (const YamlField& field : mapping.node.fields) {
      if (field.name != name) continue;
      throw Refused{At(mark), "`" + name + "` stands here twice; first in line " +
                                  std::to_string(field.position.line)};
    }
    // The search above is quadratic; no mapping of a specification has more fields than a screen
    // has lines.
    if (mapping.node.fields.size() >= 256) throw Refused{At(mark), "more than 256 fields"};
    mapping.node.fields.push_back({name, At(mark), {}});
    mapping.has_key = true;
  }
  void Start(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
             YamlNode::Kind kind) {
    Plain(mark, anchor);
    if (tag != "!" && tag != "?" && !tag.empty()) RefuseTag(mark, tag);
    RefuseAsKey(At(mark));
    if (open_.size() >= kMaxYamlDepth) {
      throw Refused{At(mark), "nested deeper than " + std::to_string(kMaxYamlDepth) + " levels"};
    }
    open_.push_back({MakeNode(kind, At(mark))});
  }
  void End() {
    YamlNode node = std::move(open_.back().node);
    open_.pop_back();
    Add(std::move(node));
  }
  void RefuseAsKey(Position position) const {
    if (!open_.empty() && open_.back().node.IsMapping() && !open_.back().has_key) {
      throw Refused{position, "the name of a field must be a word"};
    }
  }
  void Add(YamlNode node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    RefuseAsKey(node.position);
    Open& parent = open_.back();
    if (parent.node.IsList()) {
      parent.node.items.push_back(std::move(node));
    } else {
      parent.node.fields.back().value = std::move(node);
      parent.has_key = false;
    }
  }

  YamlNode root_;
  std::vector<Open> open_;
  size_t nodes_ = 0;
  size_t documents_ = 0;
};

}  // namespace

std::string SpecError::ToString() const {
  if (position.line == 0) return file + ": " + message;
  return file + ":" + std::to_string(position.line) + ":" + std::to_string(position.column) + ": " +
         message;
}

const YamlNode* YamlNode::Find(std::string_view name) const {
  for (const YamlField& field : fields) {
    if (field.name == name) return &field.value;
  }
  return nullptr;
}

std::string YamlNode::Describe() const {
  switch (kind) {
    case Kind::kNull:
      return "null";
    case Kind::kList:
      return "a list";
    case Kind::kMapping:
      return "a mapping";
    case Kind::kScalar:
      break;
  }
  constexpr size_t kShown = 40;
  const std::string shown = text.size() > kShown ? text.substr(0, kShown) + "..." : text;
  return quoted ? "the text \"" + shown + "\"" : "`" + shown + "`";
}

std::optional<YamlNode> ParseYaml(std::string_view file, std::string_view text, SpecError* error) {
  error->file = std::string(file);
  error->position = {};
  if (text.size() > kMaxYamlBytes) {
    error->message = "larger than " + std::to_string(kMaxYamlBytes >> 20) + " MiB";
    return std::nullopt;
  }
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    TreeBuilder builder;
    while (parser.HandleNextDocument(builder)) {
    }
    return builder.Take();
  } catch (const Refused& refused) {
    error->position = refused.position;
    error->message = refused.message;
  } catch (const YAML::Exception& exception) {
    error->position = At(exception.mark);
    error->message = "not YAML: " + exception.msg;
  } catch (const std::exception& exception) {
    error->message = std::string("not YAML: ") + exception.what();
  }
  return std::nullopt;
}

}  // namespace mapspec
