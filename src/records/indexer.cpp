#include "records/indexer.hpp"

#include <algorithm>
#include <set>

#include "core/log.hpp"
#include "fhir/types.hpp"
#include "records/internal/extract.hpp"
#include "records/internal/facts.hpp"
#include "records/internal/index_state.hpp"
#include "records/internal/judging.hpp"
#include "records/internal/keys.hpp"
#include "records/internal/row.hpp"

namespace tacenda::records {
namespace {

using Defined = fhir::SearchParameters::Defined;

// What one step may look at and write: writers wait for its commit as for any other.
constexpr std::size_t kStepRows = 200'000;
constexpr std::size_t kStepBytes = std::size_t{2} << 20U;
constexpr std::string_view kRows = "x";
constexpr std::string_view kBehindRows = "y";
constexpr std::string_view kResources = "C";

bool has_work(IndexState const& state) {
  return state.sweeping || state.walking;
}

/// The first key behind all rows of a parameter's number.
Bytes behind_parameter(std::uint32_t parameter) {
  return index_end(parameter, {});
}

/// Those of `definitions` whose rows lie apart from all others. A number is 32 bits of a hash, and whoever
/// writes a definition could look for one that meets another parameter's, and so find by it what it finds.
std::vector<fhir::ParameterDefinition> apart(std::vector<fhir::ParameterDefinition> const& definitions) {
  std::set<std::uint32_t> taken = Extractor(fhir::SearchParameters()).numbers();
  std::vector<fhir::ParameterDefinition> kept;
  for (auto const& definition : definitions) {
    fhir::SearchParameters const alone({{definition, true}});
    std::set<std::uint32_t> numbers;
    bool meets = false;
    for (auto const type : fhir::resource_types()) {
      for (auto const& each : alone.defined_for(type)) {
        auto const number = number_of(type, *each.parameter);
        meets = meets || taken.contains(number) || !numbers.insert(number).second;
      }
    }
    if (meets) {
      log(LogLevel::kError,
          Error(ErrorKind::kUnprocessable, "a search parameter is not taken: its number is another's"));
      continue;
    }
    taken.merge(numbers);
    kept.push_back(definition);
  }
  return kept;
}

}  // namespace

Indexer::Indexer(Store& store) : store_(store), state_(std::make_unique<IndexState>()) {}
Indexer::~Indexer() = default;

IndexState Indexer::state() const {
  MutexLock const lock(mutex_);
  return *state_;
}

void Indexer::take(IndexState state) {
  MutexLock const lock(mutex_);
  *state_ = std::move(state);
}

std::uint64_t Indexer::count_resources() const {
  std::uint64_t count = 0;
  auto const at = store_.vault_->read_point();
  auto const counted = store_.view_.scan(
      as_bytes(kResources), {}, storage::Direction::kForward,
      [&](ByteView, ByteView) -> Result<bool> {
        ++count;
        return true;
      },
      &at);
  // Only a bar is drawn from it.
  if (!counted.has_value()) log(LogLevel::kWarning, counted.error());
  return count;
}

Result<void> Indexer::load() {
  auto const row = TACENDA_TRY(store_.view_.get(index_state_key()));
  if (!row) return fail(ErrorKind::kNotFound, "the state of the search index is not there");
  auto state = TACENDA_TRY(parse_index_state(*row));
  store_.index_changed_at_ = store_.committed() + 1;
  store_.index_ = {std::make_shared<Extractor const>(fhir::SearchParameters(state.defined)), state.answers()};
  take(std::move(state));
  return {};
}

Result<void> Indexer::change(IndexState next, Commit const& commit) {
  // Who begins now waits: he must know whether he writes for the index before or behind this change. Who
  // began before, and commits behind it, is refused by the guard and runs again.
  MutexLock const lock(store_.index_mutex_);
  vault::WriteSet set;
  set.read_at(store_.vault_->read_point().sequence());
  store_.view_.put(set, index_state_key(), to_bytes(next));
  set.touches(store_.view_.guard(index_state_key()));
  auto const committed = commit(std::move(set));
  // Also when it failed: what is stored is what holds.
  auto const loaded = load();
  if (!committed.has_value()) return committed;
  return loaded;
}

Result<void> Indexer::open(Commit const& commit) {
  {
    MutexLock const lock(store_.index_mutex_);
    auto const loaded = load();
    if (!loaded.has_value() && loaded.error().kind() != ErrorKind::kNotFound) return loaded;
  }
  IndexState next = state();
  auto const reading = reading_of_r4();
  if (next.reading == reading) return {};
  bool const empty = count_resources() == 0;
  next.reading = reading;
  next.whole = next.sweeping = next.walking = !empty;
  next.renewing = false;
  next.done = 0;
  next.total = count_resources();
  next.after.clear();
  for (auto& defined : next.defined) defined.is_ready = empty;
  return change(std::move(next), commit);
}

Result<bool> Indexer::define(std::vector<fhir::ParameterDefinition> const& wanted, Commit const& commit) {
  auto const definitions = apart(wanted);
  IndexState next = state();
  std::vector<Defined> defined;
  bool grows = false;
  for (auto const& definition : definitions) {
    auto const known = std::ranges::find(next.defined, definition, &Defined::definition);
    defined.push_back({definition, known != next.defined.end() && known->is_ready});
    grows = grows || known == next.defined.end();
  }
  bool const shrinks = std::ranges::any_of(next.defined, [&](Defined const& known) {
    return std::ranges::find(definitions, known.definition) == definitions.end();
  });
  if (!grows && !shrinks) return true;
  if (shrinks) {
    // Those that stay, in their order; what is new comes when the rows of those that go are gone.
    std::erase_if(next.defined, [&](Defined const& known) {
      return std::ranges::find(definitions, known.definition) == definitions.end();
    });
    next.sweeping = next.walking = true;
  } else if (next.sweeping) {
    return false;
  } else {
    next.defined = std::move(defined);
    next.walking = true;
  }
  next.done = 0;
  next.total = count_resources();
  next.after.clear();
  TACENDA_TRY_VOID(change(std::move(next), commit));
  return !(shrinks && grows);
}

Result<void> Indexer::renew(Commit const& commit) {
  IndexState next = state();
  next.renewing = next.answers();
  next.whole = next.sweeping = next.walking = true;
  next.done = 0;
  next.total = count_resources();
  next.after.clear();
  return change(std::move(next), commit);
}

Result<bool> Indexer::step(Permit const& permit, Commit const& commit) {
  if (permit.action() != Action::kVerify)
    return fail(ErrorKind::kForbidden, "work on the index needs a permit of its own");
  auto const now = state();
  if (now.sweeping) return sweep(commit);
  if (now.walking) return walk(permit, commit);
  return false;
}

Indexer::Progress Indexer::progress() const {
  auto const now = state();
  Progress progress;
  progress.is_at_work = has_work(now);
  progress.answers = now.answers();
  progress.done = now.done;
  progress.total = now.total;
  progress.defined = now.defined.size();
  progress.awaited = static_cast<std::size_t>(std::ranges::count(now.defined, false, &Defined::is_ready));
  return progress;
}

/// One step of sweep or walk: what it does, and how far it came.
class Indexer::Step {
 public:
  Step(Store& store, IndexState state)
      : view_(store.view_),
        vault_(*store.vault_),
        extractor_(store.index().extractor),
        at_(store.vault_->read_point()),
        state_(std::move(state)) {
    set_.read_at(at_.sequence());
    set_.depends_on(view_.guard(index_state_key()));
  }

  /// Erases rows whose parameter is no more. True when there are no more of them.
  Result<bool> sweep() {
    Bytes const begin = state_.after.empty() ? to_bytes(kRows) : state_.after;
    auto cursor = view_.cursor(begin, to_bytes(kBehindRows), at_);
    for (std::size_t rows = 0; cursor.valid(); ++rows) {
      if (rows == kStepRows || set_.size_bytes() > kStepBytes) {
        state_.after = to_bytes(cursor.key());
        return false;
      }
      auto const row = TACENDA_TRY(parse_index_key(cursor.key()));
      if (!extractor_->numbers().contains(row.parameter) || is_of_lost(row)) {
        view_.erase(set_, cursor.key());
        cursor.next();
        continue;
      }
      // The only rows that can be of another parameter than their own are those of contained resources.
      auto const contained = index_prefix(row.parameter, std::string_view("K"));
      bool const is_before = std::ranges::lexicographical_compare(cursor.key(), contained);
      if (is_before) {
        cursor.seek(contained);
      } else if (row.bytes.starts_with('K')) {
        cursor.next();
      } else {
        cursor.seek(behind_parameter(row.parameter));
      }
    }
    TACENDA_TRY_VOID(cursor.status());
    return true;
  }

  /// Writes what resources lack. True when there are no more of them.
  Result<bool> walk(Permit const& permit, std::size_t resources) {
    std::size_t seen = 0;
    bool ended = true;
    TACENDA_TRY_VOID(view_.scan(
        as_bytes(kResources), state_.after, storage::Direction::kForward,
        [&](ByteView key, ByteView row) -> Result<bool> {
          if (equal(key, state_.after)) return true;
          if (seen == resources || set_.size_bytes() > kStepBytes) {
            ended = false;
            return false;
          }
          ++seen;
          TACENDA_TRY_VOID(resource(permit, key, row));
          last_ = to_bytes(key);
          return true;
        },
        &at_));
    state_.done += seen;
    if (!last_.empty()) state_.after = last_;
    return ended;
  }

  IndexState& state() { return state_; }
  vault::WriteSet take() {
    view_.put(set_, index_state_key(), records::to_bytes(state_));
    return std::move(set_);
  }

 private:
  static Bytes to_bytes(std::string_view text) { return tacenda::to_bytes(text); }
  static Bytes to_bytes(ByteView bytes) { return tacenda::to_bytes(bytes); }

  bool is_of_lost(IndexRow const& row) const {
    if (!row.bytes.starts_with('K')) return false;
    ByteReader reader(as_bytes(row.bytes.substr(1)));
    auto const inner = reader.u32();
    return inner.has_value() && !extractor_->numbers().contains(*inner);
  }

  bool has_lost(DocumentFacts const& facts) const {
    return std::ranges::any_of(
        facts.terms, [&](KeptTerm const& term) { return !extractor_->numbers().contains(term.parameter); });
  }

  Result<void> resource(Permit const& permit, ByteView key, ByteView row) {
    auto const place = TACENDA_TRY(parse_current_key(key));
    auto const header = parse_row(row);
    if (!header.has_value() || header->deleted) return {};
    RecordOnDemand const record({vault_, view_, &at_}, {place.type, place.id}, *header);
    if (!permit.judge(record.facts())) return {};
    auto const stored = TACENDA_TRY(view_.get(facts_key(header->document_number()), &at_));
    auto const facts = stored ? parse_facts(*stored) : fail(ErrorKind::kCorrupt, "missing");
    bool const concerns =
        state_.whole || !facts.has_value() || has_lost(*facts) || extractor_->awaits_of(place.type);
    auto const body = open_body(vault_, {place.type, place.id}, *header);
    // What does not open is found by nothing, and named by `verify`; what was erased is gone.
    if (!body.has_value()) {
      if (body.error().kind() == ErrorKind::kCorrupt) log(LogLevel::kError, body.error());
      return {};
    }
    auto const document = open_document(*body);
    if (!document.has_value()) return {};
    // A contained resource, and one in a Bundle, can be of any type.
    bool const may_contain = place.type == "Bundle" || document->text.contains("\"contained\"");
    if (!concerns && !may_contain) return {};
    auto const json = codec::parse_json(document->text);
    if (!json.has_value()) return {};
    set_.depends_on(view_.guard(key));
    return write(place, *header, stored, TACENDA_TRY(extractor_->terms_of(*json)));
  }

  Result<void> write(ParsedKey const& place, RowHeader const& header, std::optional<Bytes> const& stored,
                     std::vector<Term> const& terms) {
    std::uint64_t const number = header.document_number();
    for (auto const& term : terms) {
      if (!state_.whole && !extractor_->is_awaited(term)) continue;
      view_.put(set_, index_key(term.parameter, term.bytes, number), to_bytes(as_bytes(term.value)));
    }
    if (state_.whole) view_.put(set_, index_key(number_of_type(place.type), {}, number), {});
    Bytes row = facts_row({place.type, place.id}, header, terms);
    if (!stored || !equal(*stored, row)) view_.put(set_, facts_key(number), std::move(row));
    return {};
  }

  vault::View view_;
  vault::Vault const& vault_;
  std::shared_ptr<Extractor const> extractor_;
  vault::ReadPoint at_;
  IndexState state_;
  vault::WriteSet set_;
  Bytes last_;
};

Result<bool> Indexer::sweep(Commit const& commit) {
  Step step(store_, state());
  bool const ended = TACENDA_TRY(step.sweep());
  if (ended) {
    step.state().sweeping = false;
    step.state().after.clear();
  }
  auto next = step.state();
  TACENDA_TRY_VOID(commit(step.take()));
  take(std::move(next));
  return true;
}

Result<bool> Indexer::walk(Permit const& permit, Commit const& commit) {
  Step step(store_, state());
  bool const ended = TACENDA_TRY(step.walk(permit, step_resources_));
  auto next = step.state();
  auto const committed = commit(step.take());
  if (!committed.has_value()) {
    if (committed.error().kind() == ErrorKind::kConflict)
      step_resources_ = std::max<std::size_t>(1, step_resources_ / 4);
    return std::unexpected(committed.error());
  }
  step_resources_ = std::min(kStepResources, step_resources_ * 2);
  take(next);
  if (!ended) return true;
  next.walking = next.whole = next.renewing = false;
  next.after.clear();
  next.done = next.total;
  for (auto& defined : next.defined) defined.is_ready = true;
  TACENDA_TRY_VOID(change(std::move(next), commit));
  return true;
}

}  // namespace tacenda::records
