#include "vault/write_set.hpp"

#include <algorithm>
#include <iterator>

namespace tacenda::vault {

void WriteSet::add(Operation operation) {
  size_bytes_ += operation.key.size() + (operation.value ? operation.value->size() : 0);
  operations_.push_back(std::move(operation));
}

void WriteSet::read_at(std::uint64_t sequence) {
  read_sequence_ = read_sequence_ ? std::min(*read_sequence_, sequence) : sequence;
}

void WriteSet::found_keys_at(std::uint64_t erasures) {
  keys_found_ = keys_found_ ? std::min(*keys_found_, erasures) : erasures;
}

void WriteSet::merge(WriteSet&& other, std::uint32_t event_offset) {
  for (auto& operation : other.operations_) {
    operation.event += event_offset;
    add(std::move(operation));
  }
  std::ranges::move(other.state_changes_, std::back_inserter(state_changes_));
  std::ranges::move(other.dependencies_, std::back_inserter(dependencies_));
  std::ranges::move(other.touched_, std::back_inserter(touched_));
  std::ranges::move(other.announced_, std::back_inserter(announced_));
  std::ranges::move(other.when_stored_, std::back_inserter(when_stored_));
  std::ranges::move(other.pins_, std::back_inserter(pins_));
  if (other.read_sequence_) read_at(*other.read_sequence_);
  if (other.keys_found_) found_keys_at(*other.keys_found_);
  new_subjects_.merge(other.new_subjects_);
  other = WriteSet();
}

void WriteSet::stored() {
  for (auto& change : when_stored_) change();
  when_stored_.clear();
}

}  // namespace tacenda::vault
