#include "privacy/erasures.hpp"

#include <algorithm>
#include <tuple>

#include "codec/text.hpp"
#include "core/limits.hpp"
#include "records/erasing.hpp"

namespace tacenda::privacy {
namespace {

constexpr std::size_t kStampBytes = 16;  // sequence and time of a stamped value

Bytes key_of(char kind, std::string_view id) {
  Bytes key;
  ByteWriter(key).u8(static_cast<std::uint8_t>(kind)).raw(as_bytes(id));
  return key;
}

}  // namespace

Erasures::Erasures(vault::Vault& vault, records::Store const& store, Holds const& holds, Clock const& clock)
    : vault_(vault),
      store_(store),
      holds_(holds),
      clock_(clock),
      keys_(vault.view(vault::Keeper::kPrivacy)),
      rows_(vault.sealed_view(vault::Keeper::kPrivacy, vault::Purpose::kAudit)) {}

Result<void> Erasures::check_order(Erasure const& order) {
  if (order.reason.find_first_not_of(" \t\r\n") == std::string::npos)
    return fail(ErrorKind::kUnprocessable, "say why: an erasure needs a reason");
  if (order.reason.size() > limits::kReasonBytes)
    return fail(ErrorKind::kUnprocessable, "the reason is too long");
  if (!std::ranges::all_of(order.grounds, is_erasure_ground))
    return fail(ErrorKind::kUnprocessable, "a ground of an erasure is one of art17-1-a to art17-1-f");
  return {};
}

Result<bool> Erasures::is_under_way(std::string_view patient) const {
  auto const erasures = TACENDA_TRY(all());
  return std::ranges::any_of(
      erasures, [&](Erasure const& each) { return each.patient == patient && each.is_under_way(); });
}

Result<vault::Alias> Erasures::check(std::string_view patient, Others const& others) const {
  if (TACENDA_TRY(is_under_way(patient))) return fail(ErrorKind::kConflict, "this erasure is under way");
  auto const keys = vault_.subject(vault::Subject::patient(patient));
  if (!keys.has_value() && keys.error().kind() == ErrorKind::kNotFound)
    return fail(ErrorKind::kNotFound, "there is no record of such a patient");
  if (!keys.has_value() && keys.error().kind() == ErrorKind::kGone)
    return fail(ErrorKind::kGone, "this patient was erased");
  if (!keys.has_value()) return std::unexpected(keys.error());
  Others held = others;
  held.emplace(patient);
  if (auto const hold = TACENDA_TRY(holds_.standing_of_any(held))) return std::unexpected(refusal_of(hold->ground));
  return (*keys)->alias();
}

Result<Erasures::Change> Erasures::order(Erasure order, Others const& others) const {
  TACENDA_TRY_VOID(check_order(order));
  std::uint64_t const seen = vault_.order().committed();
  order.key = TACENDA_TRY(check(order.patient, others));
  order.ordered = clock_.now();
  order.state = Erasure::State::kErasing;
  records::ErasingTransaction transaction(store_);
  transaction.begin(order.patient);
  Change change{transaction.take(), std::move(order)};
  change.set.read_at(seen);
  auto const guard = rows_.guard(patient_guard(change.erasure.patient));
  change.set.depends_on(guard);
  change.set.touches(guard);
  holds_.depend(change.set, others);
  TACENDA_TRY_VOID(put(change.erasure, change.set));
  return change;
}

Result<Erasures::Change> Erasures::refused(Erasure order, HoldGround ground) const {
  order.id = codec::format_uuid_v4(TACENDA_TRY(vault_.random_bytes16()));
  order.ordered = clock_.now();
  order.state = Erasure::State::kRefused;
  order.hold = ground;
  Change change{{}, std::move(order)};
  auto const known = TACENDA_TRY(all());
  auto const refused = std::ranges::count(known, Erasure::State::kRefused, &Erasure::state);
  if (refused < kRefusedMax) TACENDA_TRY_VOID(put(change.erasure, change.set));
  return change;
}

Result<void> Erasures::put(Erasure const& erasure, vault::WriteSet& set) const {
  return rows_.put(set, key_of('e', erasure.id), encode_erasure(erasure));
}

Result<void> Erasures::complete(Erasure const& erasure, std::string_view certificate, std::uint32_t event,
                                vault::WriteSet& set) const {
  TACENDA_TRY_VOID(put(erasure, set));
  TACENDA_TRY_VOID(rows_.put(set, key_of('c', erasure.id), as_bytes(certificate)));
  keys_.put_stamped_value(set, key_of('s', erasure.id), Bytes(kStampBytes), event);
  return {};
}

Result<Erasures::Readable> Erasures::readable() const {
  std::vector<Bytes> keys;
  TACENDA_TRY_VOID(keys_.scan(as_bytes("e"), [&](ByteView key, ByteView) -> Result<bool> {
    keys.push_back(to_bytes(key));
    return true;
  }));
  Readable readable;
  for (auto const& key : keys) {
    auto const row = rows_.get(key);
    if (!row.has_value() && row.error().kind() != ErrorKind::kCorrupt) return std::unexpected(row.error());
    if (row.has_value() && !*row) continue;
    auto erasure = row.has_value() ? decode_erasure(**row) : std::unexpected(row.error());
    if (erasure.has_value()) {
      readable.erasures.push_back(std::move(*erasure));
    } else if (readable.damage.has_value()) {
      readable.damage = std::unexpected(erasure.error());
    }
  }
  std::ranges::sort(readable.erasures, {},
                    [](Erasure const& each) { return std::tie(each.ordered, each.id); });
  return readable;
}

Result<std::vector<Erasure>> Erasures::all() const {
  auto readable = TACENDA_TRY(this->readable());
  TACENDA_TRY_VOID(readable.damage);
  return std::move(readable.erasures);
}

Result<Erasure> Erasures::find(std::string_view id) const {
  auto const row = TACENDA_TRY(rows_.get(key_of('e', id)));
  if (!row) return fail(ErrorKind::kNotFound, "there is no such erasure");
  return decode_erasure(*row);
}

Result<std::optional<Erasures::Certificate>> Erasures::certificate(std::string_view id) const {
  auto const text = TACENDA_TRY(rows_.get(key_of('c', id)));
  auto const place = TACENDA_TRY(keys_.get(key_of('s', id)));
  if (!text && !place) return std::nullopt;
  if (!text || !place) return fail(ErrorKind::kCorrupt, "a certificate is there in part");
  ByteReader reader(*place);
  return Certificate{std::string(as_text(*text)), TACENDA_TRY(reader.u64())};
}

}  // namespace tacenda::privacy
