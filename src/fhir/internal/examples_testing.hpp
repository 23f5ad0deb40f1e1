#pragma once

#include <cstddef>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "codec/compress.hpp"
#include "codec/json.hpp"
#include "core/bytes.hpp"

/// The official examples of FHIR R4 and US Core, and the sample patients, for fhir's tests alone.
namespace tacenda::fhir::testing {

inline std::string read_whole(std::string const& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline std::string unpack_zstd(std::string const& packed) {
  constexpr std::size_t kSizeMax = std::size_t{32} * 1024 * 1024;
  Bytes out;
  if (!codec::Compressor({}).decompress(as_bytes(packed), kSizeMax, out).has_value()) {
    throw std::runtime_error("not a whole zstd frame");
  }
  return std::string(as_text(out));
}

/// Regular files of a tar archive by the last part of their names (POSIX ustar: 512-byte blocks, the name at
/// 0, the size in octal at 124, the kind at 156).
inline std::map<std::string, std::string> read_tar(std::string const& tar) {
  std::map<std::string, std::string> files;
  for (std::size_t at = 0; at + 512 <= tar.size() && tar[at] != '\0';) {
    std::string const path(tar.c_str() + at);
    std::size_t const size = std::stoul(tar.substr(at + 124, 11), nullptr, 8);
    char const kind = tar[at + 156];
    std::string const name = path.substr(path.rfind('/') + 1);
    if (kind == '0' || kind == '\0') files[name] = tar.substr(at + 512, size);
    at += 512 + (size + 511) / 512 * 512;
  }
  return files;
}

/// File name ("Patient-example.json") -> text, of the 727 official examples.
inline std::map<std::string, std::string> const& examples() {
  static auto const files =
      read_tar(unpack_zstd(read_whole(TACENDA_SOURCE_DIR "/tests/vectors/fhir-r4-examples.tar.zst")));
  return files;
}

/// The same of the 231 examples of US Core.
inline std::map<std::string, std::string> const& us_core_examples() {
  static auto const files =
      read_tar(unpack_zstd(read_whole(TACENDA_SOURCE_DIR "/tests/vectors/us-core-examples.tar.zst")));
  return files;
}

/// The StructureDefinitions of the specification's profiles and extensions, by the last part of their url.
inline std::map<std::string, codec::Json> const& profile_definitions() {
  static auto const definitions = [] {
    std::map<std::string, codec::Json> found;
    for (auto const& [name, text] :
         read_tar(unpack_zstd(read_whole(TACENDA_SOURCE_DIR "/tests/vectors/fhir-r4-profiles.tar.zst")))) {
      auto const bundle = codec::parse_json(text).value();
      for (auto const& entry : bundle.find("entry")->items()) {
        auto const& resource = *entry.find("resource");
        if (resource.text_of("resourceType") != "StructureDefinition") continue;
        auto const url = resource.text_of("url");
        found[std::string(url.substr(url.rfind('/') + 1))] = resource;
      }
    }
    return found;
  }();
  return definitions;
}

/// The transaction bundles of samples/.
inline std::vector<std::string> samples() {
  std::vector<std::string> texts;
  for (auto const* name : {"Alejandro_Riojas_a9fcc685-c7a2-4474-bf25-26c8fe4b48f9",
                           "Dannie_Schmitt_22d6efc6-2dc7-4f36-9d27-84fc6609c469",
                           "Enda_Schaefer_dd760206-6c4e-4e25-a799-f5c563e489a1",
                           "Luigi_Wiegand_e27d88b0-c5e5-4042-ad49-184f6a900ee3",
                           "Willia_Runolfsdottir_074c3873-c476-40e3-8046-f67372eb5e05"}) {
    texts.push_back(read_whole(std::string(TACENDA_SOURCE_DIR "/samples/") + name + ".json"));
  }
  return texts;
}

}  // namespace tacenda::fhir::testing
