#include "operations/bundle.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "codec/text.hpp"
#include "fhir/compartment.hpp"
#include "fhir/outcome.hpp"
#include "operations/internal/entry.hpp"
#include "operations/internal/hold.hpp"
#include "operations/internal/links.hpp"
#include "operations/internal/permits.hpp"
#include "operations/internal/writing.hpp"
#include "operations/patch.hpp"
#include "operations/refused.hpp"
#include "operations/write.hpp"

namespace tacenda::operations {
namespace {

struct Entry {
  fhir::BundleEntry* source = nullptr;
  EntryTarget target;
  EntryOutcome outcome;
  std::size_t permit = 0;        // index into the permits of the run
  bool same_as_earlier = false;  // a second If-None-Exist of one transaction that names the same resource
};

/// One transaction from its entries to its write set.
class Run {
 public:
  Run(Context const& context, fhir::Bundle& bundle)
      : context_(context), transaction_(begin_writing(context)), links_(context, transaction_) {
    entries_.reserve(bundle.entries.size());
    for (auto& source : bundle.entries) entries_.push_back({&source, {}, {}, 0, false});
  }

  Result<Outcome> go() {
    auto outcome = run();
    if (!outcome.has_value() && context_.remarks != nullptr) {
      auto& told = context_.remarks->questions;
      std::ranges::move(questions_, std::back_inserter(told));
      std::ranges::move(links_.questions(), std::back_inserter(told));
      if (is_hidden(outcome.error())) tell_refused(told);
    }
    return outcome;
  }

 private:
  /// Of a transaction that is refused, each entry that names a record which is watched, or that is not for
  /// who asks, has an event of its own: nobody reaches for one unseen by asking for several at once.
  void tell_refused(std::vector<audit::Event>& told) const {
    for (auto const& entry : entries_) {
      if (entry.target.type.empty()) continue;
      bool const is_of_record = entry.target.id && entry.target.kind != EntryKind::kCreate;
      auto event = event_of(context_, event_kind(entry.target.kind), entry.target.type,
                            is_of_record ? entry.target.id->view() : std::string_view());
      // Which of them it was that failed is not known here.
      mark_refused(context_.services, context_.principal, {ErrorKind::kNotFound, {}}, event);
      if (!event.labels.empty() || !event.reason.empty()) told.push_back(std::move(event));
    }
  }

  Result<Outcome> run() {
    TACENDA_TRY_VOID(prepare());
    for (auto& entry : entries_) {
      if (entry.target.kind == EntryKind::kDelete) TACENDA_TRY_VOID(remove_one(entry));
    }
    TACENDA_TRY_VOID(place_creates());
    TACENDA_TRY_VOID(apply_patches());
    TACENDA_TRY_VOID(announce());
    TACENDA_TRY_VOID(hold_all());
    // What is of whom it names finds out whose the records are that it names.
    for (bool const names : {false, true}) {
      for (int const order : {1, 2}) TACENDA_TRY_VOID(write_all(order, names));
    }
    for (auto& entry : entries_) {
      if (rank(entry.target.kind) == 3) TACENDA_TRY_VOID(read_one(entry));
    }
    return finish();
  }

  /// Targets, permits and the rule that one identity stands in a transaction once.
  Result<void> prepare() {
    std::set<std::pair<std::string, std::string>> identities;
    std::map<std::pair<Action, std::string>, std::size_t> known;
    for (auto& entry : entries_) {
      entry.target = TACENDA_TRY(target_of(*entry.source));
      writes_ = writes_ || rank(entry.target.kind) < 3;
      if (!needs_permit(entry.target)) continue;
      auto const action = action_of(entry.target.kind);
      auto const [slot, is_new] = known.try_emplace({action, entry.target.type}, permits_.size());
      if (is_new) {
        permits_.push_back(
            TACENDA_TRY(context_.services.gate.authorize(context_.principal, action, entry.target.type)));
      }
      entry.permit = slot->second;
      if (entry.target.kind ==
          EntryKind::kPatch) {  // before any criteria are asked: see operations/patch.hpp
        TACENDA_TRY_VOID(
            context_.services.gate.authorize(context_.principal, Action::kRead, entry.target.type));
      }
      bool const writes = rank(entry.target.kind) == 2 || entry.target.kind == EntryKind::kDelete;
      if (writes && !entry.target.id) TACENDA_TRY_VOID(place_conditional(entry));
      if (writes && entry.target.id &&
          !identities.emplace(entry.target.type, entry.target.id->view()).second) {
        return fail(ErrorKind::kInvalid, "a transaction names the same resource twice");
      }
    }
    return {};
  }

  /// Gives a conditional update or delete the place of what its criteria match; an update that matches
  /// nothing gets a place of its own, a delete none.
  Result<void> place_conditional(Entry& entry) {
    auto& target = entry.target;
    auto const criteria = TACENDA_TRY(criteria_of(context_, target.type, target.query));
    auto const matches = TACENDA_TRY(match(entry, criteria));
    bool const has_own = target.kind == EntryKind::kUpdate;
    std::string const own(has_own ? entry.source->resource->id() : std::string_view());
    if (!matches.empty()) {
      target.id = TACENDA_TRY(ResourceId::parse(matches.front()));
      if (!own.empty() && own != matches.front()) {
        return fail(ErrorKind::kInvalid, "the resource has another id than the one that the criteria match");
      }
    } else if (target.kind == EntryKind::kPatch) {
      return fail(ErrorKind::kNotFound, "the criteria match no resource");
    } else if (target.if_match) {
      return fail(ErrorKind::kPrecondition, "the criteria match nothing, and If-Match names a version");
    } else if (target.kind == EntryKind::kUpdate && own.empty()) {
      target.id = TACENDA_TRY(context_.services.store.new_id());
    } else if (target.kind == EntryKind::kUpdate) {
      target.id = TACENDA_TRY(ResourceId::parse(own));
      if (!permits_[entry.permit].may_choose_ids())
        return fail(ErrorKind::kForbidden, "this role may not update this resource");
      if (TACENDA_TRY(transaction_.unchanged(target.type, own)).version != 0) {
        return fail(ErrorKind::kConflict, "the criteria match nothing, and a resource with this id exists");
      }
    }
    if (target.kind == EntryKind::kUpdate) entry.source->resource->set_id(*target.id);
    return {};
  }

  Result<std::vector<std::string>> match(Entry const& entry, Criteria const& criteria) {
    std::string const& type = entry.target.type;
    auto const reader = context_.services.gate.authorize(context_.principal, Action::kRead, type);
    TACENDA_TRY_VOID(check_criteria(reader, criteria));
    Permits permits(context_, type, reader.has_value() ? *reader : permits_[entry.permit]);
    auto matches = TACENDA_TRY(transaction_.match(permits.source(), type, criteria, 2));
    questions_.push_back(TACENDA_TRY(
        question_of(context_, event_kind(entry.target.kind), transaction_, type, query_of(entry), matches)));
    if (matches.size() > 1) return fail(ErrorKind::kPrecondition, "the criteria match several resources");
    return matches;
  }

  Result<void> remove_one(Entry& entry) {
    if (!entry.target.id) {
      records::Written nothing;
      nothing.type = entry.target.type;
      nothing.changed = false;
      nothing.deletion = true;
      note(entry, audit::EventKind::kDelete, nothing);
      entry.outcome.result = std::move(nothing);
      return {};
    }
    auto written = TACENDA_TRY(transaction_.remove(permits_[entry.permit], entry.target.type,
                                                   *entry.target.id, entry.target.if_match, next_event()));
    note(entry, audit::EventKind::kDelete, written);
    entry.outcome.result = std::move(written);
    return {};
  }

  /// Gives every created entry its id, or the place of what its If-None-Exist matches.
  Result<void> place_creates() {
    std::map<std::string, ResourceId> promised;  // type and criteria -> id of the entry that makes it
    for (auto& entry : entries_) {
      if (entry.target.kind != EntryKind::kCreate) continue;
      std::string const& unless = entry.source->if_none_exist;
      if (!unless.empty()) {
        std::string const key = entry.target.type + "?" + unless;
        if (auto const found = promised.find(key); found != promised.end()) {
          entry.target.id = found->second;
          entry.same_as_earlier = true;
          continue;
        }
        if (TACENDA_TRY(match_existing(entry))) continue;
        entry.target.id = TACENDA_TRY(context_.services.store.new_id());
        promised.emplace(key, *entry.target.id);
        continue;
      }
      entry.target.id = TACENDA_TRY(context_.services.store.new_id());
    }
    return {};
  }

  Result<bool> match_existing(Entry& entry) {
    std::string const& type = entry.target.type;
    auto const criteria = TACENDA_TRY(criteria_of(context_, type, entry.source->if_none_exist));
    auto const matches = TACENDA_TRY(match(entry, criteria));
    if (matches.empty()) return false;
    entry.target.id = TACENDA_TRY(ResourceId::parse(matches.front()));
    auto place = TACENDA_TRY(transaction_.unchanged(type, matches.front()));
    note(entry, audit::EventKind::kCreate, place);
    events_.back().reason = "matched an existing resource; nothing was created";
    entry.outcome.result = std::move(place);
    entry.outcome.matched = true;
    return true;
  }

  /// Puts what comes out of each patch in its place: from here on it is an update.
  Result<void> apply_patches() {
    for (auto& entry : entries_) {
      auto const& target = entry.target;
      if (target.kind != EntryKind::kPatch) continue;
      auto const patch = TACENDA_TRY(Patch::from_resource(*entry.source->resource));
      entry.source->resource =
          TACENDA_TRY(patched(context_, transaction_, patch, target.type, *target.id, target.if_match));
    }
    return {};
  }

  /// Tells the links where every entry leads, before any resource is sealed.
  Result<void> announce() {
    for (auto& entry : entries_) {
      if (entry.source->resource && !entry.outcome.matched) links_.note(*entry.source->resource);
    }
    for (auto& entry : entries_) {
      bool const writes = rank(entry.target.kind) == 1 || rank(entry.target.kind) == 2;
      if (!writes) continue;
      std::string const id(entry.target.id->view());
      if (!entry.source->full_url.empty()) links_.add(entry.source->full_url, entry.target.type + "/" + id);
      if (entry.outcome.matched || entry.same_as_earlier) continue;
      TACENDA_TRY_VOID(links_.add_pending(entry.target.type, id, *entry.source->resource));
    }
    return {};
  }

  /// All that the transaction writes, before any of it is: who is refused hears of every entry.
  Result<void> hold_all() {
    std::vector<HeldEntry> held;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      auto const& entry = entries_[i];
      if (!entry.source->resource || entry.outcome.matched || entry.same_as_earlier) continue;
      held.push_back({i, &*entry.source->resource});
    }
    return hold(context_, held, [this](std::string_view reference) { return links_.type_of(reference); });
  }

  Result<void> write_all(int order, bool names) {
    for (auto& entry : entries_) {
      if (rank(entry.target.kind) != order || fhir::is_of_whom_it_names(entry.target.type) != names) continue;
      TACENDA_TRY_VOID(write_one(entry));
    }
    return {};
  }

  Result<void> write_one(Entry& entry) {
    if (entry.outcome.matched) return {};
    if (entry.same_as_earlier) return point_to_earlier(entry);
    fhir::Resource resource = std::move(*entry.source->resource);
    entry.source->resource.reset();  // large bundles: give the memory back as we go
    TACENDA_TRY_VOID(links_.rewrite(resource));
    bool const creates = entry.target.kind == EntryKind::kCreate;
    Permit const& permit = permits_[entry.permit];
    auto written = creates ? TACENDA_TRY(transaction_.create(permit, std::move(resource), *entry.target.id,
                                                             next_event()))
                           : TACENDA_TRY(transaction_.update(permit, std::move(resource), *entry.target.id,
                                                             entry.target.if_match, next_event()));
    note(entry, event_kind(entry.target.kind), written);
    if (!keep_text_) std::string().swap(written.text);
    entry.outcome.result = std::move(written);
    return {};
  }

  Result<void> point_to_earlier(Entry& entry) {
    auto place = TACENDA_TRY(transaction_.unchanged(entry.target.type, entry.target.id->view()));
    note(entry, audit::EventKind::kCreate, place);
    events_.back().reason = "matched a resource of the same transaction";
    entry.outcome.result = std::move(place);
    entry.outcome.matched = true;
    return {};
  }

  Result<void> read_one(Entry& entry) {
    auto const& target = entry.target;
    if (reads_one(target.kind)) {
      // Named only so that the commit fails when it changes meanwhile. Whether it is there is for the read to
      // tell: to who may not see it, what is hidden and what does not exist must look alike.
      TACENDA_TRY_VOID(transaction_.unchanged(target.type, target.id->view()));
      if (transaction_.wrote(target.type, target.id->view())) {
        // The state after the transaction has no time yet: a read of what it writes cannot be answered truly.
        return fail(ErrorKind::kInvalid, "a transaction reads what it writes itself");
      }
    } else if (writes_) {
      // What the transaction writes is in no index and no listing yet: the answer could not be true.
      return fail(ErrorKind::kNotSupported,
                  "a transaction that writes can read single resources, and nothing else: use a batch");
    }
    audit::Event origin = context_.origin;
    origin.query = asked_by(*entry.source);
    Context const alone = context_of_entry(context_, origin, context_.remarks);
    Permit const* const permit = needs_permit(target) ? &permits_[entry.permit] : nullptr;
    auto outcome = TACENDA_TRY(read_entry(alone, permit, target));
    take_result(entry.outcome, outcome, alone, target, events_.size());
    std::ranges::move(outcome.events, std::back_inserter(events_));
    return {};
  }

  std::uint32_t next_event() const { return static_cast<std::uint32_t>(events_.size()); }
  void note(Entry const& entry, audit::EventKind kind, records::Written const& written) {
    events_.push_back(event_of(context_, kind, written));
    events_.back().query = query_of(entry);
  }
  static std::string const& query_of(Entry const& entry) {
    return entry.target.query.empty() ? entry.source->if_none_exist : entry.target.query;
  }

  Result<Outcome> finish() {
    Outcome outcome;
    outcome.set = TACENDA_TRY(end_writing(context_, transaction_));
    BundleOutcome bundle;
    bundle.transaction = true;
    bundle.entries.reserve(entries_.size());
    bool const tells = context_.remarks != nullptr && context_.remarks->wanted;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      auto& entry = entries_[i];
      if (tells && makes_version(entry.target.kind)) entry.outcome.outcome = context_.remarks->outcome_of(i);
      bundle.entries.push_back(std::move(entry.outcome));
    }
    std::ranges::move(links_.questions(), std::back_inserter(events_));
    if (events_.empty()) events_.push_back(event_of(context_, audit::EventKind::kTransaction, "", ""));
    outcome.result = std::move(bundle);
    outcome.events = std::move(events_);
    return outcome;
  }

  Context const& context_;
  records::Transaction transaction_;
  Links links_;
  std::vector<Entry> entries_;
  std::vector<Permit> permits_;
  std::vector<audit::Event> events_;
  std::vector<audit::Event> questions_;  // of criteria; those of links_ are its own
  bool writes_ = false;
  bool keep_text_ = context_.wants_representation;
};

}  // namespace

Result<Outcome> transaction(Context const& context, fhir::Bundle& bundle) {
  return Run(context, bundle).go();
}

}  // namespace tacenda::operations
