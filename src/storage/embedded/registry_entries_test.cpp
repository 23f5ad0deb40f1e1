#include "storage/embedded/registry_entries.hpp"

#include <gtest/gtest.h>

namespace tacenda::storage {
namespace {

FileId id_of(unsigned char value) {
  FileId id;
  id.fill(static_cast<std::byte>(value));
  return id;
}

class RegistryEntries : public testing::Test {
 protected:
  RegistryEntries() { append_begin(entries_, id_of(9)); }
  RegistryContent parse() const {
    auto content = parse_registry(entries_);
    EXPECT_TRUE(content.has_value());
    return content ? *content : RegistryContent{};
  }
  Bytes entries_;
};

TEST_F(RegistryEntries, ABoundNameMayBeMissingUntilItIsEstablished) {
  append_bind(entries_, "000001.sst", id_of(1));
  EXPECT_FALSE(parse().names.at("000001.sst").must_exist);
  append_establish(entries_, "000001.sst");
  EXPECT_TRUE(parse().names.at("000001.sst").must_exist);
  EXPECT_EQ(parse().known_to_marks, id_of(9));
}

TEST_F(RegistryEntries, ARenameAllowsTheFileBeforeUntilItIsEstablished) {
  append_bind(entries_, "CURRENT", id_of(1));
  append_establish(entries_, "CURRENT");
  append_bind(entries_, "000007.dbtmp", id_of(2));
  append_rename(entries_, "000007.dbtmp", "CURRENT", id_of(2));
  EXPECT_EQ(parse().names.at("CURRENT").ids, (std::vector{id_of(1), id_of(2)}));
  EXPECT_TRUE(parse().names.at("CURRENT").must_exist);
  append_establish(entries_, "CURRENT");
  append_unbind(entries_, "000007.dbtmp");
  EXPECT_EQ(parse().names.at("CURRENT").ids, std::vector{id_of(2)});
  EXPECT_FALSE(parse().names.contains("000007.dbtmp"));
}

TEST_F(RegistryEntries, ALengthBelongsToTheBindBeforeIt) {
  append_bind(entries_, "000004.log", id_of(1));
  append_length(entries_, "000004.log", 4'711);
  EXPECT_EQ(parse().names.at("000004.log").synced, 4'711U);
  append_bind(entries_, "000004.log", id_of(2));
  EXPECT_EQ(parse().names.at("000004.log").synced, 0U);
}

TEST_F(RegistryEntries, WhatNoWriterWritesIsRefused) {
  EXPECT_FALSE(parse_registry({}).has_value());
  Bytes twice = entries_;
  append_begin(twice, id_of(1));
  EXPECT_FALSE(parse_registry(twice).has_value());
  Bytes unknown = entries_;
  append_establish(unknown, "nothing");
  EXPECT_FALSE(parse_registry(unknown).has_value());
  Bytes cut = entries_;
  append_bind(cut, "000001.sst", id_of(1));
  cut.pop_back();
  EXPECT_FALSE(parse_registry(cut).has_value());
  Bytes kind = entries_;
  kind.push_back(std::byte{77});
  EXPECT_FALSE(parse_registry(kind).has_value());
}

}  // namespace
}  // namespace tacenda::storage
