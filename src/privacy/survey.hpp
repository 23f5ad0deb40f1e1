#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "access/gate.hpp"
#include "codec/json.hpp"
#include "core/error.hpp"
#include "records/erasing.hpp"
#include "records/store.hpp"
#include "vault/vault.hpp"

namespace tacenda::privacy {

/// Looks for what an erasure takes, and for what of it others would lose. Changes nothing.
///
/// Thread-safe. Everything it is made of outlives it.
class Survey {
 public:
  struct Parts {
    vault::Vault const& vault;
    records::Store const& store;
    access::Gate const& gate;
    std::function<std::vector<std::string>()> addresses;  // under which this server is known
  };
  explicit Survey(Parts parts) : parts_(std::move(parts)), finder_(parts_.vault) {}

  /// What lies under the patient's keys. Errors: those of Erasing::records_of; kUnavailable (asked to stop).
  Result<records::OwnedRecords> records_of(std::string_view patient, std::stop_token const& stop) const;

  /// Of those, what is clearly about another patient (subject_of) and cannot be written without this one:
  /// that patient would lose it. Errors: those of the store; kUnavailable (asked to stop).
  Result<std::vector<records::OwnedRecord>> lost_to_others(std::string_view patient,
                                                           records::OwnedRecords const& owned,
                                                           std::stop_token const& stop) const;

  /// Whom a record, or a deleted one before its end, is clearly about: his logical id. Empty: nobody, or it
  /// does not open any more. Errors: those of the store.
  Result<std::string> subject_of(records::OwnedRecord const& record) const;

 private:
  /// What a record holds, or a deleted one held; nullopt: it does not open, or is gone meanwhile.
  Result<std::optional<codec::Json>> content_of(records::OwnedRecord const& record) const;

  Parts parts_;
  records::Erasing finder_;
};

}  // namespace tacenda::privacy
