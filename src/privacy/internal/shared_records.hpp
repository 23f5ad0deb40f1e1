#pragma once

#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "fhir/compartment.hpp"
#include "privacy/internal/without_patient.hpp"
#include "records/erasing.hpp"

namespace tacenda::privacy {

/// Errors: kUnavailable (asked to stop).
inline Result<void> unless_stopped(std::stop_token const& stop) {
  if (stop.stop_requested()) return fail(ErrorKind::kUnavailable, "the server stops");
  return {};
}

/// The records that a patient has together with others, in the order in which they are settled. What is of
/// whom it names (a Task) comes behind the records that it may name: it can be kept when those that go are
/// known, and when those that stay are without him.
///
/// Owner: one thread. What it is made of outlives it.
class SharedRecords {
 public:
  SharedRecords(std::string_view patient, std::vector<records::OwnedRecord> const& owned,
                std::span<std::string const> base_urls)
      : patient_(patient), owned_(owned), base_urls_(base_urls) {
    for (auto const& record : owned) {
      if (!record.is_shared()) his_.emplace(record.type, record.id);
    }
  }

  std::vector<records::OwnedRecord const*> in_order() const {
    std::vector<records::OwnedRecord const*> shared;
    for (bool const is_second : {false, true}) {
      for (auto const& record : owned_) {
        if (record.is_shared() && fhir::is_of_whom_it_names(record.type) == is_second)
          shared.push_back(&record);
      }
    }
    return shared;
  }

  /// What is taken out of those that stay: he, what is his alone, and what goes with him.
  Erased erased() const {
    return {patient_,
            [this](std::string_view type, std::string_view id) {
              return his_.contains(std::pair(std::string(type), std::string(id)));
            },
            base_urls_};
  }
  /// It goes as well.
  void note_gone(records::OwnedRecord const& record) { his_.emplace(record.type, record.id); }

 private:
  std::string_view patient_;
  std::vector<records::OwnedRecord> const& owned_;
  std::span<std::string const> base_urls_;
  std::set<std::pair<std::string, std::string>> his_;  // by type and id
};

}  // namespace tacenda::privacy
