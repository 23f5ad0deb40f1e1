// Recomputes what the store promises about itself (M2, S-07) and names what does not hold.
#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "records/internal/content.hpp"
#include "records/internal/extract.hpp"
#include "records/internal/facts.hpp"
#include "records/internal/index_state.hpp"
#include "records/internal/keys.hpp"
#include "records/internal/row.hpp"
#include "records/internal/upload_rows.hpp"
#include "records/store.hpp"
#include "vault/digest.hpp"

namespace tacenda::records {
namespace {

using LeafDigest = std::function<Result<std::optional<Digest>>(std::uint64_t)>;

std::string name_of(std::string_view type, std::string_view id, std::uint64_t version) {
  return std::string(type) + "/" + std::string(id) + " version " + std::to_string(version);
}

/// What one pass over the rows collects.
class Pass {
 public:
  Pass(vault::Vault const& vault, vault::View const& view, vault::ReadPoint const& at, IndexState index,
       LeafDigest const& leaf_digest, Store::Verified& result)
      : vault_(vault),
        view_(view),
        at_(at),
        index_(std::move(index)),
        extractor_(fhir::SearchParameters(index_.defined)),
        leaf_digest_(leaf_digest),
        result_(result) {}

  void damaged(std::string object, Literal problem) {
    result_.damage.push_back({std::move(object), std::string(problem.view())});
  }

  /// Checks one version by itself; gives its body when it opens.
  Result<std::optional<Bytes>> version(RowPlace const& place, RowHeader const& header) {
    ++result_.versions;
    std::string const name = name_of(place.type, place.id, header.version);
    auto const leaf = TACENDA_TRY(leaf_digest_(header.sequence));
    if (!leaf) {
      damaged(name, "no audit entry binds this version");
    } else if (*leaf != vault::digest(header.envelope)) {
      damaged(name, "the audit entry binds another content");
    }
    if (!header.purged) TACENDA_TRY_VOID(history(name, place, header));
    auto body = open_body(vault_, place, header);
    if (!body.has_value()) {
      damaged(name, "it does not open: altered, exchanged, or its key is gone");
      return std::nullopt;
    }
    TACENDA_TRY_VOID(content(name, *body));
    return std::move(*body);
  }

  /// Checks a resource: its current row, all its older versions and their links.
  Result<void> resource(RowPlace const& place, ByteView row, std::function<void(ByteView)> const& current) {
    ++result_.resources;
    auto const header = parse_row(row);
    if (!header.has_value()) {
      damaged(std::string(place.type) + "/" + std::string(place.id), "its row cannot be read");
      return {};
    }
    if (header->purged)
      damaged(name_of(place.type, place.id, header->version), "its newest version is purged");
    current(state_item(place, header->version, vault::digest(header->envelope)));
    auto body = TACENDA_TRY(version(place, *header));
    if (body && !header->deleted) TACENDA_TRY_VOID(index(place, *header, *body));
    Digest previous = header->previous;
    for (std::uint64_t number = header->version; number > 1;) {
      --number;
      auto const older = TACENDA_TRY(view_.get(version_key(place.type, place.id, number), &at_));
      auto const older_header = older ? parse_row(*older) : fail(ErrorKind::kCorrupt, "missing");
      if (!older_header.has_value() || older_header->version != number) {
        damaged(name_of(place.type, place.id, number), "it is missing or cannot be read");
        return {};
      }
      body = TACENDA_TRY(version(place, *older_header));
      if (body && !older_header->purged && commit_to(*body) != previous) {
        damaged(name_of(place.type, place.id, number), "the version after it was made from another content");
      }
      previous = older_header->previous;
    }
    if (previous != Digest{})
      damaged(name_of(place.type, place.id, 1), "it claims a version before the first");
    return {};
  }

  /// No chunk lies there that no version and no upload holds. Where something is damaged, it may be that
  /// version's.
  Result<void> chunks_as_a_whole() {
    TACENDA_TRY_VOID(uploads());
    if (!result_.damage.empty()) return {};
    std::optional<vault::ChunkSeal::Id> named;  // once each
    auto const scanned = view_.scan(
        as_bytes("B"), {}, storage::Direction::kForward,
        [&](ByteView key, ByteView) -> Result<bool> {
          auto const parsed = parse_content_key(key);
          auto const held = parsed.has_value() ? contents_.find(parsed->id) : contents_.end();
          if (held != contents_.end() && parsed->index < held->second) return true;
          if (parsed.has_value() && uploads_.contains(parsed->id)) return true;
          auto const id = parsed.has_value() ? std::optional(parsed->id) : std::nullopt;
          if (!id || id != named)
            damaged("a piece of a content", "it belongs to no version of a Binary and no upload");
          named = id;
          return true;
        },
        &at_);
    if (!scanned.has_value() && scanned.error().kind() != ErrorKind::kCorrupt)
      return std::unexpected(scanned.error());
    if (!scanned.has_value())
      damaged("contents of Binaries", "a block of the data files does not open: the rows in it are lost");
    return {};
  }

  /// The index has no rows but those of the living resources.
  Result<void> index_as_a_whole() {
    auto const count = [&](std::string_view prefix) -> Result<std::uint64_t> {
      std::uint64_t rows = 0;
      auto const scanned = view_.scan(
          as_bytes(prefix), {}, storage::Direction::kForward,
          [&](ByteView, ByteView) -> Result<bool> {
            ++rows;
            return true;
          },
          &at_);
      if (scanned.has_value()) return rows;
      if (scanned.error().kind() != ErrorKind::kCorrupt) return std::unexpected(scanned.error());
      damaged("the search index", "a block of the data files does not open: the rows in it are lost");
      return rows;
    };
    auto const rows = TACENDA_TRY(count("x"));
    // What is being taken out is still there.
    if (index_.sweeping) return {};
    if (rows > index_rows_ || TACENDA_TRY(count("D")) > facts_rows_) {
      damaged("the search index", "it has rows that belong to no living resource");
    }
    return {};
  }

 private:
  Result<void> history(std::string const& name, RowPlace const& place, RowHeader const& header) {
    Bytes const key = history_key_at(place.type, header.sequence);
    auto const row = TACENDA_TRY(view_.get(key, &at_));
    Bytes expected;
    ByteWriter(expected).u64(header.version).raw(as_bytes(place.id));
    if (!row || !equal(*row, expected)) damaged(name, "its history row is missing or names another version");
    return {};
  }

  /// What is under way, or broke off and is taken away when the server runs: its chunks are no damage.
  Result<void> uploads() {
    auto const scanned = view_.scan(
        as_bytes("U"), {}, storage::Direction::kForward,
        [&](ByteView key, ByteView row) -> Result<bool> {
          auto const id = parse_upload_key(key);
          if (!id.has_value() || !decode_upload(row).has_value()) {
            damaged("the row of an upload", "it cannot be read");
          } else if (contents_.contains(*id)) {
            damaged("the row of an upload", "a version holds what it says is under way");
          } else {
            uploads_.insert(*id);
          }
          return true;
        },
        &at_);
    if (!scanned.has_value() && scanned.error().kind() != ErrorKind::kCorrupt)
      return std::unexpected(scanned.error());
    if (!scanned.has_value())
      damaged("rows of uploads", "a block of the data files does not open: the rows in it are lost");
    return {};
  }

  /// The chunks of a version are all there and what its record says.
  Result<void> content(std::string const& name, Bytes const& body) {
    auto const document = open_document(body);
    if (!document.has_value() || !document->content) return {};
    auto const& content = *document->content;
    if (content.secret.size() == vault::ChunkSeal::kSecretBytes) {
      vault::ChunkSeal::Id id;
      std::ranges::copy_n(content.secret.begin(), std::ssize(id), id.begin());
      contents_[id] = (content.size_bytes + kContentChunkBytes - 1) / kContentChunkBytes;
    }
    auto const whole = verify_content({vault_, view_, &at_}, content);
    if (whole.has_value()) return {};
    if (whole.error().kind() != ErrorKind::kCorrupt) return std::unexpected(whole.error());
    damaged(name, "what it holds is altered, exchanged or cut");
    return {};
  }

  /// Every term of the content has its row, and the facts are those of the content.
  Result<void> index(RowPlace const& place, RowHeader const& header, Bytes const& body) {
    std::string const name = name_of(place.type, place.id, header.version);
    auto const document = open_document(body);
    auto const json = document.has_value() ? codec::parse_json(document->text)
                                           : Result<codec::Json>(std::unexpected(document.error()));
    if (!json.has_value()) {
      damaged(name, "its content cannot be read");
      return {};
    }
    auto const terms = TACENDA_TRY(extractor_.terms_of(*json));
    std::uint64_t const number = header.document_number();
    bool missing = !TACENDA_TRY(view_.get(index_key(number_of_type(place.type), {}, number), &at_));
    for (auto const& term : terms) {
      if (extractor_.is_awaited(term)) continue;
      auto const row = TACENDA_TRY(view_.get(index_key(term.parameter, term.bytes, number), &at_));
      missing = missing || !row || as_text(*row) != term.value;
    }
    if (missing && index_.answers()) damaged(name, "the index lacks something of it");
    index_rows_ += terms.size() + 1;
    ++facts_rows_;
    auto const row = TACENDA_TRY(view_.get(facts_key(number), &at_));
    // While the index is being changed, facts may have more or less terms.
    if (!index_.walking && (!row || !equal(*row, facts_row({place.type, place.id}, header, terms))))
      damaged(name, "the index says something else of it");
    return {};
  }

  vault::Vault const& vault_;
  vault::View const& view_;
  vault::ReadPoint const& at_;
  IndexState const index_;
  Extractor const extractor_;
  LeafDigest const& leaf_digest_;
  Store::Verified& result_;
  std::uint64_t index_rows_ = 0;  // that the living resources have
  std::uint64_t facts_rows_ = 0;
  std::map<vault::ChunkSeal::Id, std::uint64_t> contents_;  // chunks of each content
  std::set<vault::ChunkSeal::Id> uploads_;
};

}  // namespace

Result<Store::Verified> Store::verify(Permit const& permit, vault::ReadPoint const& at,
                                      LeafDigest const& leaf_digest,
                                      std::function<void(ByteView item)> const& current,
                                      std::function<void(std::uint64_t done)> const& progress) const {
  if (permit.action() != Action::kVerify)
    return fail(ErrorKind::kForbidden, "verification needs a permit of its own");
  Verified result;
  auto const index_row = TACENDA_TRY(view_.get(index_state_key(), &at));
  auto index = index_row ? parse_index_state(*index_row) : Result<IndexState>(IndexState());
  if (!index.has_value()) {
    result.damage.push_back({"the search index", "its state cannot be read"});
    index = IndexState();
  }
  Pass pass(*vault_, view_, at, std::move(*index), leaf_digest, result);
  std::uint64_t rows = 0;
  auto const resources = view_.scan(
      as_bytes("C"), {}, storage::Direction::kForward,
      [&](ByteView key, ByteView row) -> Result<bool> {
        auto const place = parse_current_key(key);
        if (!place.has_value()) {
          pass.damaged("a record key", "it has another form");
          return true;
        }
        TACENDA_TRY_VOID(pass.resource({place->type, place->id}, row, current));
        progress(++rows);
        return true;
      },
      &at);
  if (!resources.has_value()) {
    if (resources.error().kind() != ErrorKind::kCorrupt) return std::unexpected(resources.error());
    pass.damaged("current versions", "a block of the data files does not open: the rows in it are lost");
  }
  // An older version whose resource is gone would not be met above.
  auto const versions = view_.scan(
      as_bytes("V"), {}, storage::Direction::kForward,
      [&](ByteView key, ByteView) -> Result<bool> {
        auto const place = parse_version_key(key);
        if (!place.has_value()) {
          pass.damaged("a version key", "it has another form");
          return true;
        }
        auto const row = TACENDA_TRY(view_.get(current_key(place->type, place->id), &at));
        if (!row)
          pass.damaged(name_of(place->type, place->id, place->version), "its current version is missing");
        return true;
      },
      &at);
  if (!versions.has_value()) {
    if (versions.error().kind() != ErrorKind::kCorrupt) return std::unexpected(versions.error());
    pass.damaged("older versions", "a block of the data files does not open: the rows in it are lost");
  }
  TACENDA_TRY_VOID(pass.chunks_as_a_whole());
  TACENDA_TRY_VOID(pass.index_as_a_whole());
  return result;
}

}  // namespace tacenda::records
