#include "api/verification.hpp"

#include "codec/json.hpp"

namespace tacenda::api {
namespace {

using codec::Json;

/// What the audit leaf at `sequence` binds; an entry that cannot be read binds nothing that could be
/// compared.
Result<std::optional<Digest>> leaf_digest(audit::Log const& log, std::uint64_t sequence) {
  auto const entry = log.entry(sequence);
  if (entry.has_value()) return entry->event.record_digest;
  if (entry.error().kind() == ErrorKind::kUnavailable) return std::unexpected(entry.error());
  return std::nullopt;
}

}  // namespace

Result<VerificationReport> verify_store(
    Parts const& parts, std::function<void(std::string_view, std::uint64_t, std::uint64_t)> const& progress) {
  VerificationReport report;
  auto const found = [&](std::string object, std::string problem) {
    report.damage.push_back({std::move(object), std::move(problem)});
  };
  progress("data files", 0, 0);
  for (auto const& damage : TACENDA_TRY(parts.vault.engine().verify_files())) {
    found("file " + damage.file, "it does not open: altered, cut or exchanged");
  }
  progress("keys", 0, 0);
  if (auto const keys = parts.vault.verify_keys(); !keys.has_value()) {
    found("key vault", std::string(keys.error().message()));
  }
  for (auto& damage : TACENDA_TRY(parts.log.verify(
           [&](std::uint64_t done, std::uint64_t total) { progress("audit entries", done, total); }))) {
    found(std::move(damage.object), std::move(damage.problem));
  }
  report.audit_entries = parts.log.size();

  auto const at = parts.vault.read_point();
  auto const permit = parts.gate.system_permit(Action::kVerify);
  auto const state = parts.log.verify_state(
      [&](std::function<void(ByteView)> const& item) -> Result<void> {
        auto verified = TACENDA_TRY(parts.store.verify(
            permit, at, [&](std::uint64_t sequence) { return leaf_digest(parts.log, sequence); }, item,
            [&](std::uint64_t done) { progress("records", done, 0); }));
        report.resources = verified.resources;
        report.versions = verified.versions;
        for (auto& damage : verified.damage) found(std::move(damage.object), std::move(damage.problem));
        return {};
      },
      &at);
  if (!state.has_value()) {
    if (state.error().kind() == ErrorKind::kUnavailable) return std::unexpected(state.error());
    found("current state", std::string(state.error().message()));
  } else if (!*state) {
    found("current state", "a resource was removed, revived or rolled back outside the server");
  }
  return report;
}

std::string to_json(VerificationReport const& report) {
  Json json = Json::object();
  json.set("ok", Json::boolean(report.damage.empty()));
  json.set("resources", Json::number(static_cast<std::int64_t>(report.resources)));
  json.set("versions", Json::number(static_cast<std::int64_t>(report.versions)));
  json.set("audit_entries", Json::number(static_cast<std::int64_t>(report.audit_entries)));
  Json damage = Json::array();
  for (auto const& finding : report.damage) {
    Json item = Json::object();
    item.set("object", Json::string(finding.object));
    item.set("problem", Json::string(finding.problem));
    damage.push(std::move(item));
  }
  json.set("damage", std::move(damage));
  return codec::write_json(json);
}

}  // namespace tacenda::api
