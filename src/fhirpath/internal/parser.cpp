#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "codec/text.hpp"
#include "fhirpath/internal/functions.hpp"
#include "fhirpath/internal/lexer.hpp"
#include "fhirpath/internal/program.hpp"

namespace tacenda::fhirpath {
namespace {

struct OperatorRow {
  std::string_view text;
  int power;  // how tightly it binds
  Operator code;
};

// Source: FHIRPath N1 section 6.8. The union binds with 7, is and as with 8, a sign with 11.
constexpr std::array kOperators{
    OperatorRow{"implies", 1, Operator::kImplies}, OperatorRow{"or", 2, Operator::kOr},
    OperatorRow{"xor", 2, Operator::kXor},         OperatorRow{"and", 3, Operator::kAnd},
    OperatorRow{"in", 4, Operator::kIn},           OperatorRow{"contains", 4, Operator::kContains},
    OperatorRow{"=", 5, Operator::kEqual},         OperatorRow{"~", 5, Operator::kEquivalent},
    OperatorRow{"!=", 5, Operator::kNotEqual},     OperatorRow{"!~", 5, Operator::kNotEquivalent},
    OperatorRow{"<=", 6, Operator::kLessOrEqual},  OperatorRow{"<", 6, Operator::kLess},
    OperatorRow{">", 6, Operator::kGreater},       OperatorRow{">=", 6, Operator::kGreaterOrEqual},
    OperatorRow{"+", 9, Operator::kAdd},           OperatorRow{"-", 9, Operator::kSubtract},
    OperatorRow{"&", 9, Operator::kConcatenate},   OperatorRow{"*", 10, Operator::kMultiply},
    OperatorRow{"/", 10, Operator::kDivide},       OperatorRow{"div", 10, Operator::kDivideWhole},
    OperatorRow{"mod", 10, Operator::kModulo},
};
constexpr int kUnionPower = 7;
constexpr int kTypePower = 8;
constexpr int kSignPower = 11;

OperatorRow const* find_operator(Token const& token) {
  if (token.delimited || (token.kind != Token::Kind::kSymbol && token.kind != Token::Kind::kIdentifier)) {
    return nullptr;
  }
  auto const* const at = std::ranges::find(kOperators, token.text, &OperatorRow::text);
  return at == kOperators.end() ? nullptr : at;
}

/// Operators that are no names; `is`, `as`, `in` and `contains` are names too (grammar, rule identifier).
bool is_reserved(Token const& token) {
  static constexpr std::array<std::string_view, 6> kWords{"and", "or", "xor", "implies", "div", "mod"};
  return !token.delimited && std::ranges::find(kWords, token.text) != kWords.end();
}

struct Constant {
  std::string_view name;
  std::string_view value;
};
constexpr std::array kConstants{
    Constant{"ucum", "http://unitsofmeasure.org"},
    Constant{"sct", "http://snomed.info/sct"},
    Constant{"loinc", "http://loinc.org"},
};

/// A node with its depth, while the tree grows.
struct Built {
  std::uint32_t index = 0;
  std::size_t depth = 0;
};

/// Precedence climbing over the tokens; the nodes land in one array.
class Parser {
 public:
  Parser(Program& program, CompileLimits const& limits)
      : program_(program), limits_(limits), lexer_(program.text) {}

  Result<void> run() {
    TACENDA_TRY_VOID(advance());
    program_.root = TACENDA_TRY(expression(0)).index;
    if (token_.kind != Token::Kind::kEnd) return fail(ErrorKind::kInvalid, "more text than one expression");
    return {};
  }

 private:
  Result<void> advance() {
    token_ = TACENDA_TRY(lexer_.next());
    return {};
  }
  Result<bool> accept(std::string_view symbol) {
    if (!token_.is_symbol(symbol)) return false;
    TACENDA_TRY_VOID(advance());
    return true;
  }
  Result<void> expect(std::string_view symbol) {
    if (!TACENDA_TRY(accept(symbol))) return fail(ErrorKind::kInvalid, "a bracket or a word is missing");
    return {};
  }

  Result<Built> add(SyntaxNode node, std::vector<Built> const& children = {});
  Result<Built> add_literal(Item item);
  std::string const& keep(std::string text) { return program_.names.emplace_back(std::move(text)); }
  std::uint32_t keep_name(std::string text);

  Result<Built> expression(int power);
  Result<Built> operand();
  Result<Built> with_operators(Built left, int power);
  Result<Built> united(Built left);
  Result<Built> typed(Built left);
  Result<Built> path();
  Result<Built> term();
  Result<Built> literal();
  Result<Built> number_literal();
  Result<Built> dollar();
  Result<Built> constant();
  Result<Built> member_or_function(bool at_head);
  Result<Built> function(std::string const& name);
  Result<Built> argument(FunctionRow const& row);
  Result<void> prepare_pattern(SyntaxNode& node, std::vector<Built> const& arguments);
  Result<TypeSpecifier> type_specifier();
  void ask_for_type_only(std::uint32_t index);

  Program& program_;
  CompileLimits const& limits_;
  Lexer lexer_;
  Token token_;
  std::size_t nesting_ = 0;
};

Result<Built> Parser::add(SyntaxNode node, std::vector<Built> const& children) {
  if (program_.nodes.size() >= limits_.nodes)
    return fail(ErrorKind::kTooLarge, "the expression has too many parts");
  node.first = static_cast<std::uint32_t>(program_.children.size());
  node.count = static_cast<std::uint32_t>(children.size());
  std::size_t depth = 0;
  for (Built const& child : children) {
    program_.children.push_back(child.index);
    depth = std::max(depth, child.depth);
  }
  if (depth >= limits_.depth) return fail(ErrorKind::kTooLarge, "the expression is nested too deeply");
  program_.nodes.push_back(node);
  return Built{static_cast<std::uint32_t>(program_.nodes.size() - 1), depth + 1};
}

Result<Built> Parser::add_literal(Item item) {
  program_.literals.push_back(std::move(item));
  SyntaxNode node;
  node.op = Op::kLiteral;
  node.payload = static_cast<std::uint32_t>(program_.literals.size() - 1);
  return add(node);
}

std::uint32_t Parser::keep_name(std::string text) {
  keep(std::move(text));
  return static_cast<std::uint32_t>(program_.names.size() - 1);
}

Result<Built> Parser::expression(int power) {
  if (nesting_ >= limits_.depth) return fail(ErrorKind::kTooLarge, "the expression is nested too deeply");
  ++nesting_;
  auto left = operand();
  if (left) left = with_operators(*left, power);
  --nesting_;
  return left;
}

Result<Built> Parser::operand() {
  if (!token_.is_symbol("-") && !token_.is_symbol("+")) return path();
  SyntaxNode node;
  node.op = Op::kSign;
  node.code = token_.text == "-" ? Operator::kSubtract : Operator::kAdd;
  TACENDA_TRY_VOID(advance());
  Built const inner = TACENDA_TRY(expression(kSignPower));
  return add(node, {inner});
}

Result<Built> Parser::with_operators(Built left, int power) {
  for (;;) {
    if (token_.is_symbol("|") && kUnionPower > power) {
      left = TACENDA_TRY(united(left));
    } else if ((token_.is_word("is") || token_.is_word("as")) && kTypePower > power) {
      left = TACENDA_TRY(typed(left));
    } else {
      OperatorRow const* row = find_operator(token_);
      if (row == nullptr || row->power <= power) return left;
      TACENDA_TRY_VOID(advance());
      Built const right = TACENDA_TRY(expression(row->power));
      SyntaxNode node;
      node.op = Op::kBinary;
      node.code = row->code;
      left = TACENDA_TRY(add(node, {left, right}));
    }
  }
}

/// a | b | c as one node: what is twice among them is dropped once, and search parameters name 60 types.
Result<Built> Parser::united(Built left) {
  std::vector<Built> operands{left};
  while (TACENDA_TRY(accept("|"))) operands.push_back(TACENDA_TRY(expression(kUnionPower)));
  SyntaxNode node;
  node.op = Op::kUnion;
  return add(node, operands);
}

/// `resolve() is T` asks for the type, which the reference's text may tell without the resource.
void Parser::ask_for_type_only(std::uint32_t index) {
  SyntaxNode* node = &program_.nodes[index];
  if (node->op == Op::kPath) node = &program_.nodes[program_.child(*node, node->count - 1)];
  if (node->op == Op::kFunction && (node->function->flags & FunctionRow::kResolves) != 0)
    node->type_only = true;
}

Result<Built> Parser::typed(Built left) {
  SyntaxNode node;
  node.op = token_.text == "is" ? Op::kIs : Op::kAs;
  TACENDA_TRY_VOID(advance());
  node.type = TACENDA_TRY(type_specifier());
  if (node.op == Op::kIs) ask_for_type_only(left.index);
  return add(node, {left});
}

Result<TypeSpecifier> Parser::type_specifier() {
  std::string name_space;
  if (token_.kind != Token::Kind::kIdentifier)
    return fail(ErrorKind::kInvalid, "the name of a type is missing");
  std::string name = std::exchange(token_.text, {});
  TACENDA_TRY_VOID(advance());
  if ((name == "FHIR" || name == "System") && TACENDA_TRY(accept("."))) {
    if (token_.kind != Token::Kind::kIdentifier)
      return fail(ErrorKind::kInvalid, "the name of a type is missing");
    name_space = std::exchange(name, std::exchange(token_.text, {}));
    TACENDA_TRY_VOID(advance());
  }
  auto const type = find_type(name_space, name);
  if (!type) return fail(ErrorKind::kInvalid, "a type that R4 has not");
  return *type;
}

Result<Built> Parser::path() {
  std::vector<Built> parts{TACENDA_TRY(term())};
  for (;;) {
    if (TACENDA_TRY(accept("."))) {
      Built const part =
          TACENDA_TRY(token_.kind == Token::Kind::kDollar ? dollar() : member_or_function(false));
      SyntaxNode const& node = program_.nodes[part.index];
      bool const asks = node.op == Op::kFunction && node.function->name == "is";
      if (asks) ask_for_type_only(parts.back().index);
      parts.push_back(part);
    } else if (TACENDA_TRY(accept("["))) {
      Built const index = TACENDA_TRY(expression(0));
      TACENDA_TRY_VOID(expect("]"));
      SyntaxNode node;
      node.op = Op::kIndexer;
      parts.push_back(TACENDA_TRY(add(node, {index})));
    } else {
      break;
    }
  }
  if (parts.size() == 1) return parts.front();
  SyntaxNode node;
  node.op = Op::kPath;
  return add(node, parts);
}

Result<Built> Parser::term() {
  switch (token_.kind) {
    case Token::Kind::kIdentifier:
      return member_or_function(true);
    case Token::Kind::kDollar:
      return dollar();
    case Token::Kind::kSymbol:
      break;
    default:
      return literal();
  }
  if (TACENDA_TRY(accept("("))) {
    Built const inner = TACENDA_TRY(expression(0));
    TACENDA_TRY_VOID(expect(")"));
    return inner;
  }
  if (TACENDA_TRY(accept("{"))) {
    TACENDA_TRY_VOID(expect("}"));
    return add({});
  }
  if (TACENDA_TRY(accept("%"))) return constant();
  return fail(ErrorKind::kInvalid, "an operand is missing");
}

Result<Built> Parser::literal() {
  Token const token = std::exchange(token_, {});
  if (token.kind == Token::Kind::kEnd) return fail(ErrorKind::kInvalid, "the expression ends too early");
  if (token.kind == Token::Kind::kNumber) {
    token_ = token;
    return number_literal();
  }
  TACENDA_TRY_VOID(advance());
  std::optional<Temporal> value;
  auto kind = Item::Kind::kDate;
  switch (token.kind) {
    case Token::Kind::kString:
      return add_literal(Item::string_view(keep(token.text)));
    case Token::Kind::kDate:
      value = parse_date(token.text);
      break;
    case Token::Kind::kDateTime:
      value = parse_date_time(token.text);
      kind = Item::Kind::kDateTime;
      break;
    default:
      value = parse_time(token.text);
      kind = Item::Kind::kTime;
  }
  if (!value) return fail(ErrorKind::kInvalid, "no date or time of the calendar");
  return add_literal(Item::temporal(kind, *value));
}

Result<Built> Parser::number_literal() {
  std::string const text = std::exchange(token_.text, {});
  TACENDA_TRY_VOID(advance());
  auto const decimal = Decimal::parse(text);
  if (!decimal) return fail(ErrorKind::kInvalid, "a number with too many digits");
  bool const unit = token_.kind == Token::Kind::kString;
  if (unit || (token_.kind == Token::Kind::kIdentifier && find_calendar_word(token_.text))) {
    Item quantity = Item::quantity(*decimal, std::exchange(token_.text, {}), !unit);
    TACENDA_TRY_VOID(advance());
    return add_literal(std::move(quantity));
  }
  if (text.contains('.')) return add_literal(Item::decimal(*decimal));
  auto const integer = decimal->to_integer();
  constexpr std::int64_t kLargest = std::int64_t{1} << 31;  // so that -2147483648 can be written
  if (!integer || *integer > kLargest) return fail(ErrorKind::kInvalid, "an integer beyond 32 bits");
  return add_literal(Item::integer(*integer));
}

Result<Built> Parser::dollar() {
  SyntaxNode node;
  if (token_.text == "this") {
    node.op = Op::kThis;
  } else if (token_.text == "index") {
    node.op = Op::kPosition;
  } else if (token_.text == "total") {
    node.op = Op::kTotal;
  } else {
    return fail(ErrorKind::kInvalid, "after $ comes this, index or total");
  }
  TACENDA_TRY_VOID(advance());
  return add(node);
}

Result<Built> Parser::constant() {
  if (token_.kind != Token::Kind::kIdentifier && token_.kind != Token::Kind::kString) {
    return fail(ErrorKind::kInvalid, "a name is missing after %");
  }
  bool const bare = token_.kind == Token::Kind::kIdentifier && !token_.delimited;
  std::string name = std::exchange(token_.text, {});
  TACENDA_TRY_VOID(advance());
  // %vs-administrative-gender without quotes, as R4 prints it.
  while (bare && (name.starts_with("vs") || name.starts_with("ext")) && token_.is_symbol("-")) {
    TACENDA_TRY_VOID(advance());
    if (token_.kind != Token::Kind::kIdentifier)
      return fail(ErrorKind::kInvalid, "a name is missing after %");
    name += "-" + token_.text;
    TACENDA_TRY_VOID(advance());
  }
  for (auto const& row : kConstants) {
    if (row.name == name) return add_literal(Item::string_view(row.value));
  }
  if (name.starts_with("vs-")) {
    return add_literal(Item::string_view(keep("http://hl7.org/fhir/ValueSet/" + name.substr(3))));
  }
  if (name.starts_with("ext-")) {
    return add_literal(Item::string_view(keep("http://hl7.org/fhir/StructureDefinition/" + name.substr(4))));
  }
  SyntaxNode node;
  node.op = Op::kVariable;
  node.payload = keep_name(std::move(name));
  return add(node);
}

Result<Built> Parser::member_or_function(bool at_head) {
  // Behind a dot no operator can follow: R4's patch suite writes Patient.text.div without quotes.
  if (token_.kind != Token::Kind::kIdentifier || (at_head && is_reserved(token_))) {
    return fail(ErrorKind::kInvalid, "a name is missing");
  }
  Token const token = std::exchange(token_, {});
  TACENDA_TRY_VOID(advance());
  if (token_.is_symbol("(")) return function(token.text);
  if (at_head && (token.is_word("true") || token.is_word("false"))) {
    return add_literal(Item::boolean(token.text == "true"));
  }
  SyntaxNode node;
  node.op = Op::kMember;
  if (at_head && !token.text.empty() && token.text[0] >= 'A' && token.text[0] <= 'Z') {
    node.head_type = find_fhir_type(token.text);
  }
  node.payload = keep_name(token.text);
  return add(node);
}

Result<Built> Parser::argument(FunctionRow const& row) {
  Built const built = TACENDA_TRY(expression(0));
  SyntaxNode& node = program_.nodes[built.index];
  if ((row.flags & FunctionRow::kSorts) != 0 && node.op == Op::kSign && node.code == Operator::kSubtract) {
    node.descending = true;
  }
  return built;
}

Result<Built> Parser::function(std::string const& name) {
  FunctionRow const* row = find_function(name);
  if (row == nullptr) {
    if (name == "elementDefinition" || name == "slice") {
      return fail(ErrorKind::kUnsupported, "elementDefinition and slice are not supported");
    }
    return fail(ErrorKind::kInvalid, "an unknown function");
  }
  SyntaxNode node;
  node.op = Op::kFunction;
  node.function = row;
  std::vector<Built> arguments;
  TACENDA_TRY_VOID(expect("("));
  if ((row->flags & FunctionRow::kTakesType) != 0) {
    node.type = TACENDA_TRY(type_specifier());
  } else if (!token_.is_symbol(")")) {
    do {
      arguments.push_back(TACENDA_TRY(argument(*row)));
    } while (TACENDA_TRY(accept(",")));
  }
  TACENDA_TRY_VOID(expect(")"));
  if (arguments.size() < row->arguments_min || arguments.size() > row->arguments_max) {
    return fail(ErrorKind::kInvalid, "a function has too few or too many arguments");
  }
  TACENDA_TRY_VOID(prepare_pattern(node, arguments));
  return add(node, arguments);
}

Result<void> Parser::prepare_pattern(SyntaxNode& node, std::vector<Built> const& arguments) {
  if ((node.function->flags & FunctionRow::kTakesPattern) == 0 || arguments.empty()) return {};
  SyntaxNode const& first = program_.nodes[arguments.front().index];
  if (first.op != Op::kLiteral) return {};
  auto const text = program_.literals[first.payload].text();
  if (!text) return fail(ErrorKind::kInvalid, "a regular expression is a string");
  auto pattern = compile_pattern(*text);
  if (pattern == nullptr) return fail(ErrorKind::kInvalid, "a regular expression that cannot be used");
  node.pattern = program_.patterns.emplace_back(std::move(pattern)).get();
  return {};
}

}  // namespace

std::optional<CalendarUnit> find_calendar_word(std::string_view word) {
  static constexpr std::array<std::string_view, 8> kWords{"year", "month",  "week",   "day",
                                                          "hour", "minute", "second", "millisecond"};
  if (word.ends_with('s')) word.remove_suffix(1);
  auto const* const at = std::ranges::find(kWords, word);
  if (at == kWords.end()) return std::nullopt;
  return static_cast<CalendarUnit>(at - kWords.begin());
}

std::unique_ptr<RE2 const> compile_pattern(std::string_view text) {
  constexpr std::size_t kPatternBytes = 4'096;
  constexpr std::int64_t kMemoryBytes = std::int64_t{4} << 20;
  if (text.size() > kPatternBytes) return nullptr;
  RE2::Options options;
  options.set_log_errors(false);  // a pattern may quote a record
  options.set_dot_nl(true);       // N1 section 5.6.8: single line mode
  options.set_max_mem(kMemoryBytes);
  auto pattern = std::make_unique<RE2 const>(re2::StringPiece(text.data(), text.size()), options);
  return pattern->ok() ? std::move(pattern) : nullptr;
}

Result<std::shared_ptr<Program const>> parse_program(std::string_view text, CompileLimits const& limits) {
  if (text.size() > limits.text_bytes) return fail(ErrorKind::kTooLarge, "the expression is too long");
  if (!codec::is_utf8(text)) return fail(ErrorKind::kInvalid, "an expression is UTF-8");
  auto program = std::make_shared<Program>();
  program->text = text;
  TACENDA_TRY_VOID(Parser(*program, limits).run());
  return program;
}

}  // namespace tacenda::fhirpath
