#include "fhir/reference.hpp"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "fhir/internal/narrative.hpp"
#include "fhir/types.hpp"

namespace {

/// Is it `base` and `whole` with a slash between, but for the case of scheme and host, http for https, and
/// the port that the scheme implies?
bool is_below(std::string const& base, std::string_view text, std::string const& whole) {
  if (!text.ends_with("/" + whole)) return false;
  std::string head(text.substr(0, text.size() - whole.size() - 1));
  auto const path = head.rfind('/');
  for (std::size_t i = 0; i < head.size() && i < path; ++i) {
    if (head[i] >= 'A' && head[i] <= 'Z') head[i] = static_cast<char>(head[i] + ('a' - 'A'));
  }
  bool const is_secure = head.starts_with("https://");
  if (!is_secure && !head.starts_with("http://")) return false;
  std::string const port = is_secure ? ":443" : ":80";
  auto rest = head.substr(is_secure ? 8 : 7);
  if (auto const at = rest.find(port + "/"); at != std::string::npos) rest.erase(at, port.size());
  return "https://" + rest == base;
}

}  // namespace

// The parts of a reference are what their names say, and a narrative whose links stay is not changed.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace tacenda;
  static std::array<std::string, 1> const bases = {"https://host/fhir"};
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  auto const reference = fhir::parse_reference(text, bases);
  if (reference.kind == fhir::ReferenceKind::kLocal) {
    if (!fhir::is_resource_type(reference.type) || !ResourceId::parse(reference.id).has_value()) std::abort();
    std::string whole = std::string(reference.type) + "/" + std::string(reference.id);
    if (!reference.version.empty()) whole += "/_history/" + std::string(reference.version);
    if (whole != text && !is_below(bases[0], text, whole)) std::abort();
  }
  auto const local = fhir::parse_local_reference(text);
  if (local && (reference.kind != fhir::ReferenceKind::kLocal || local->id != reference.id)) std::abort();
  if (fhir::rewrite_narrative(text, [](std::string_view) { return std::nullopt; })) std::abort();
  // What is put in comes out once more.
  auto const changed =
      fhir::rewrite_narrative(text, [](std::string_view) { return std::optional<std::string>("\"<&>'"); });
  if (!changed) return 0;
  bool same = true;
  auto const again =
      fhir::rewrite_narrative(*changed, [&](std::string_view link) -> std::optional<std::string> {
        same = same && link == "\"<&>'";
        return std::nullopt;
      });
  if (again || !same) std::abort();
  return 0;
}
