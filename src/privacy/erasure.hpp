#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "privacy/holds.hpp"
#include "vault/subject.hpp"

namespace tacenda::privacy {

/// One patient's record on its way out. Each state is durable before what follows it begins.
struct Erasure {
  /// The number is stored: never reuse one.
  enum class State : std::uint8_t {
    kErasing = 1,    // ordered; nobody sees the record any more, and its rows are being taken out
    kDestroyed = 2,  // its keys are destroyed; what they leave in files is being rewritten
    kComplete = 3,   // nothing is left to do
    kRefused = 4,    // a legal hold stood against it
  };
  std::string id;       // a random UUID: what the log and the certificate name it by
  std::string patient;  // logical id
  vault::Alias key{};   // what the log knew the patient by, and the certificate his keys
  std::string reason;
  std::vector<std::string> grounds;  // "art17-1-a"
  std::string asker;                 // UserId
  std::string asker_name;
  State state = State::kErasing;
  std::optional<HoldGround> hold;  // of one that was refused
  Time ordered{};
  std::optional<Time> destroyed;
  std::optional<Time> completed;
  std::map<std::string, std::uint64_t> resources;  // taken out, by type
  std::uint64_t versions = 0;                      // of them
  std::uint64_t rewritten = 0;                     // records of others that named him, and do not any more
  std::uint64_t purged = 0;                        // older versions of those
  std::uint64_t exports = 0;                       // ended because they held him
  std::uint64_t blocked = 0;                       // damaged rows that are left, perhaps not all of them his
  std::uint64_t waiting =
      0;  // records that others would lose, or must keep: the keys stay until somebody decides

  bool is_under_way() const { return state == State::kErasing || state == State::kDestroyed; }
};

std::string_view name_of(Erasure::State state);
/// "art17-1-a" to "art17-1-f".
bool is_erasure_ground(std::string_view name);

// Row (docs/data-file.md, "Privacy rows"). Errors: kCorrupt.
Bytes encode_erasure(Erasure const& erasure);
Result<Erasure> decode_erasure(ByteView row);

/// What is certified of an erasure that is complete, line by line; the log signs it. No name and no logical
/// id is in it. Source: NIST SP 800-88r2 section 4.5 (certificate of sanitization); REQUIREMENTS K-10.
std::string certificate_of(Erasure const& erasure, std::string_view store_id);

}  // namespace tacenda::privacy
