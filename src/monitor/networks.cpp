#include "monitor/networks.hpp"

#include <algorithm>

#include "core/ip_address.hpp"

namespace tacenda::monitor {
namespace {

constexpr std::uint8_t kFormat = 1;

}  // namespace

std::optional<std::string> network_of(std::string_view address) {
  auto const parsed = IpAddress::parse(address);
  if (!parsed) return std::nullopt;
  if (!parsed->is_v4()) return parsed->subscriber() + "/64";
  auto const text = parsed->text();
  return text.substr(0, text.rfind('.')) + ".0/24";
}

Networks::Verdict Networks::see(std::string_view network, Time now) {
  forget(now);
  auto const known = std::ranges::find(seen_, network, &Seen::network);
  if (known != seen_.end()) {
    if (now < known->last + kFresh) return Verdict::kKnown;
    known->last = now;
    return Verdict::kRenewed;
  }
  bool const is_first = seen_.empty();
  if (seen_.size() >= kMax) seen_.erase(std::ranges::min_element(seen_, {}, &Seen::last));
  seen_.push_back({std::string(network), now});
  return is_first ? Verdict::kFirst : Verdict::kNew;
}

bool Networks::forget(Time now) {
  return std::erase_if(seen_, [now](Seen const& each) { return each.last + kKept < now; }) != 0;
}

Bytes Networks::encode() const {
  Bytes row;
  ByteWriter out(row);
  out.u8(kFormat).u16(static_cast<std::uint16_t>(seen_.size()));
  for (auto const& each : seen_) out.sized(each.network).u64(to_unix_ms(each.last));
  return row;
}

Result<Networks> Networks::decode(ByteView row) {
  ByteReader in(row);
  if (TACENDA_TRY(in.u8()) != kFormat)
    return fail(ErrorKind::kUnsupported, "networks of a person were written by a newer version");
  std::uint16_t const size = TACENDA_TRY(in.u16());
  if (size > kMax) return fail(ErrorKind::kCorrupt, "a person has too many networks");
  Networks networks;
  for (std::uint16_t i = 0; i < size; ++i) {
    std::string network(as_text(TACENDA_TRY(in.sized())));
    networks.seen_.push_back({std::move(network), from_unix_ms(TACENDA_TRY(in.u64()))});
  }
  if (!in.done()) return fail(ErrorKind::kCorrupt, "networks of a person are longer than their fields");
  return networks;
}

}  // namespace tacenda::monitor
