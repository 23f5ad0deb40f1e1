#include "net/internal/proxy_header.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

#include "core/ip_address.hpp"
#include "core/limits.hpp"

namespace tacenda::net {
namespace {

constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::string_view kText = "PROXY ";
constexpr std::size_t kTextBytesMin = 15;  // "PROXY UNKNOWN\r\n"
constexpr std::size_t kTextBytesMax = 107;
constexpr std::size_t kFixedBytes = 16;  // of version 2: signature, version, family, length

std::uint8_t byte_at(std::string_view text, std::size_t at) {
  return static_cast<std::uint8_t>(text[at]);
}

std::size_t binary_size(std::string_view fixed) {
  return kFixedBytes + (std::size_t{byte_at(fixed, 14)} << 8U | byte_at(fixed, 15));
}

std::string address_text(int family, std::string_view bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (::inet_ntop(family, bytes.data(), text.data(), text.size()) == nullptr) return {};
  auto const address = IpAddress::parse(text.data());
  return address ? address->text() : std::string();
}

Result<std::string> client_of_binary(std::string_view header) {
  std::uint8_t const command = byte_at(header, 12);
  if (command == 0x20) return std::string();  // LOCAL
  if (command != 0x21) return fail(ErrorKind::kInvalid, "the PROXY header has an unknown version or command");
  std::size_t const given = header.size() - kFixedBytes;
  auto const addresses = header.substr(kFixedBytes);
  switch (byte_at(header, 13)) {
    case 0x11:  // TCP over IPv4: two addresses, two ports
      if (given < 12) break;
      return address_text(AF_INET, addresses);
    case 0x21:  // TCP over IPv6
      if (given < 36) break;
      return address_text(AF_INET6, addresses);
    case 0x00:  // the proxy does not know
      return std::string();
    default:
      return fail(ErrorKind::kInvalid, "the PROXY header is of another protocol than TCP");
  }
  return fail(ErrorKind::kInvalid, "the PROXY header is shorter than its addresses");
}

std::string_view take_word(std::string_view& rest) {
  auto const space = rest.find(' ');
  auto const word = rest.substr(0, space);
  rest.remove_prefix(space == std::string_view::npos ? rest.size() : space + 1);
  return word;
}

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() &&
         (text.size() == 1 || text.front() != '0');
}

/// nullopt: no address of the family that the header names.
std::optional<IpAddress> parse_address(bool is_v4, std::string_view text) {
  auto address = IpAddress::parse(text);
  if (address && is_v4 == text.contains(':')) address.reset();
  return address;
}

Result<std::string> client_of_text(std::string_view header) {
  auto rest = header.substr(kText.size(), header.size() - kText.size() - 2);
  auto const protocol = take_word(rest);
  if (protocol == "UNKNOWN") return std::string();
  if (protocol != "TCP4" && protocol != "TCP6")
    return fail(ErrorKind::kInvalid, "the PROXY header is of another protocol than TCP");
  bool const is_v4 = protocol == "TCP4";
  auto const source = parse_address(is_v4, take_word(rest));
  auto const destination = parse_address(is_v4, take_word(rest));
  auto const source_port = take_word(rest);
  if (!source || !destination || !is_port(source_port) || !is_port(rest))
    return fail(ErrorKind::kInvalid, "the PROXY header has an address or port that is none");
  return source->text();
}

}  // namespace

Result<std::size_t> missing_of_proxy_header(std::string_view so_far) {
  auto const starts_as = [&](std::string_view what) {
    auto const size = std::min(so_far.size(), what.size());
    return so_far.substr(0, size) == what.substr(0, size);
  };
  if (starts_as(kText) && !(so_far.size() >= kTextBytesMin && so_far.ends_with("\r\n"))) {
    if (so_far.size() < kTextBytesMin) return kTextBytesMin - so_far.size();
    if (so_far.size() >= kTextBytesMax) return fail(ErrorKind::kInvalid, "the PROXY header does not end");
    return std::size_t{1};
  }
  if (starts_as(kText)) return std::size_t{0};
  if (!starts_as(kSignature))
    return fail(ErrorKind::kInvalid, "the connection does not begin with a PROXY header");
  if (so_far.size() < kFixedBytes) return kFixedBytes - so_far.size();
  std::size_t const size = binary_size(so_far);
  if (size > limits::kProxyHeaderBytes) return fail(ErrorKind::kInvalid, "the PROXY header is too long");
  if (so_far.size() > size) return fail(ErrorKind::kInvalid, "the PROXY header is longer than it says");
  return size - so_far.size();
}

Result<std::string> client_of_proxy_header(std::string_view header) {
  if (TACENDA_TRY(missing_of_proxy_header(header)) != 0)
    return fail(ErrorKind::kInvalid, "the PROXY header is not complete");
  return header.starts_with(kText) ? client_of_text(header) : client_of_binary(header);
}

}  // namespace tacenda::net
