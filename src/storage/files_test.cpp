#include "storage/files.hpp"

#include <stdlib.h>
#include <sys/stat.h>

#include <functional>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "storage/fault/fault_disk.hpp"

namespace tacenda::storage {
namespace {

struct Place {
  std::filesystem::path folder;
  std::unique_ptr<Files> files;
  std::function<void()> remove;
};

struct Implementation {
  char const* name;
  std::function<Place()> make;
};

Place posix_place() {
  std::string pattern = (std::filesystem::temp_directory_path() / "tacenda-files-XXXXXX").string();
  std::filesystem::path const folder = ::mkdtemp(pattern.data());
  return {
      .folder = folder, .files = posix_files(), .remove = [folder] { std::filesystem::remove_all(folder); }};
}

Place fault_place() {
  auto disk = std::make_shared<FaultDisk>(1);
  EXPECT_TRUE(disk->make_folder("/keys").has_value());
  return {.folder = "/keys", .files = fault_files(disk), .remove = [] {}};
}

class FilesContract : public testing::TestWithParam<Implementation> {
 public:
  ~FilesContract() override { place_.remove(); }

 protected:
  Files& files() { return *place_.files; }
  std::filesystem::path path(char const* name) const { return place_.folder / name; }
  std::string read(char const* name, std::size_t max = 100) {
    auto const content = files().read(path(name), max);
    return content ? std::string(as_text(*content)) : "error";
  }

  Place place_ = GetParam().make();
};

TEST_P(FilesContract, AMissingFileIsNotFound) {
  EXPECT_EQ(files().read(path("a"), 10).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(files().remove(path("a")).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(files().overwrite(path("a"), 0, as_bytes("x")).error().kind(), ErrorKind::kNotFound);
  EXPECT_FALSE(*files().exists(path("a")));
}

TEST_P(FilesContract, ReplaceMakesAFileAndThenPutsNewContentInItsPlace) {
  ASSERT_TRUE(files().replace(path("a"), as_bytes("first")).has_value());
  EXPECT_EQ(read("a"), "first");
  ASSERT_TRUE(files().replace(path("a"), as_bytes("2nd")).has_value());
  EXPECT_EQ(read("a"), "2nd");
  EXPECT_FALSE(*files().exists(path("a.new")));
}

TEST_P(FilesContract, CreateRefusesAnExistingFile) {
  ASSERT_TRUE(files().create(path("a"), as_bytes("key")).has_value());
  EXPECT_EQ(files().create(path("a"), as_bytes("other")).error().kind(), ErrorKind::kConflict);
  EXPECT_EQ(read("a"), "key");
}

TEST_P(FilesContract, AFileLongerThanTheMaximumIsNotRead) {
  ASSERT_TRUE(files().replace(path("a"), as_bytes("12345")).has_value());
  EXPECT_EQ(read("a", 5), "12345");
  EXPECT_EQ(files().read(path("a"), 4).error().kind(), ErrorKind::kTooLarge);
}

TEST_P(FilesContract, OverwriteChangesOnlyItsRegionAndNeverTheLength) {
  ASSERT_TRUE(files().replace(path("a"), as_bytes("0123456789")).has_value());
  ASSERT_TRUE(files().overwrite(path("a"), 8, as_bytes("XY")).has_value());
  EXPECT_EQ(read("a"), "01234567XY");
  EXPECT_EQ(files().overwrite(path("a"), 9, as_bytes("XY")).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(files().overwrite(path("a"), ~std::uint64_t{0}, as_bytes("XY")).error().kind(),
            ErrorKind::kInvalid);
  EXPECT_EQ(read("a"), "01234567XY");
}

TEST_P(FilesContract, ARemovedFileIsGone) {
  ASSERT_TRUE(files().replace(path("a"), as_bytes("x")).has_value());
  ASSERT_TRUE(files().remove(path("a")).has_value());
  EXPECT_FALSE(*files().exists(path("a")));
}

TEST_P(FilesContract, AFolderIsMadeOnce) {
  ASSERT_TRUE(files().make_folder(path("f")).has_value());
  EXPECT_TRUE(*files().exists(path("f")));
  EXPECT_EQ(files().make_folder(path("f")).error().kind(), ErrorKind::kConflict);
  EXPECT_TRUE(*files().same_filesystem(path("f"), place_.folder));
}

INSTANTIATE_TEST_SUITE_P(, FilesContract,
                         testing::Values(Implementation{"Posix", posix_place},
                                         Implementation{"FaultDisk", fault_place}),
                         [](auto const& tested) { return tested.param.name; });

TEST(PosixFiles, FilesAndFoldersAreForTheirOwnerAlone) {
  auto const place = posix_place();
  ASSERT_TRUE(place.files->create(place.folder / "key", as_bytes("k")).has_value());
  ASSERT_TRUE(place.files->make_folder(place.folder / "data").has_value());
  struct ::stat about{};
  ASSERT_EQ(::stat((place.folder / "key").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0600U);
  ASSERT_EQ(::stat((place.folder / "data").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0700U);
  place.remove();
}

TEST(PosixFiles, ALinkIsNotFollowed) {
  auto const place = posix_place();
  ASSERT_TRUE(place.files->create(place.folder / "real", as_bytes("k")).has_value());
  std::filesystem::create_symlink(place.folder / "real", place.folder / "link");
  EXPECT_FALSE(place.files->read(place.folder / "link", 10).has_value());
  place.remove();
}

/// Runs `act` on a disk that holds "a" = "old", with the power going at each system call in turn and with
/// many outcomes of each cut; hands what is left of "a" to `check`, and whether `act` had returned success.
void at_every_cut(std::function<Result<void>(Files&)> const& act,
                  std::function<void(std::string const& content, bool acknowledged)> const& check) {
  for (std::uint64_t cut = 1; cut <= 8; ++cut) {
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
      auto const disk = std::make_shared<FaultDisk>(seed);
      ASSERT_TRUE(disk->make_folder("/keys").has_value());
      auto const files = fault_files(disk);
      ASSERT_TRUE(files->replace("/keys/a", as_bytes("old content")).has_value());
      disk->cut_power_in(cut);
      bool const acknowledged = act(*files).has_value();
      disk->cut_power();
      disk->restart();
      auto const content = files->read("/keys/a", 100);
      check(content ? std::string(as_text(*content)) : "none", acknowledged);
    }
  }
}

TEST(FilesPowerLoss, ReplaceHappensWhollyOrNotAtAllAndStaysOnceAcknowledged) {
  at_every_cut([](Files& files) { return files.replace("/keys/a", as_bytes("new content")); },
               [](std::string const& content, bool acknowledged) {
                 EXPECT_TRUE(content == "new content" || (!acknowledged && content == "old content"))
                     << content;
               });
}

TEST(FilesPowerLoss, RemoveStaysOnceAcknowledged) {
  at_every_cut([](Files& files) { return files.remove("/keys/a"); },
               [](std::string const& content, bool acknowledged) {
                 EXPECT_TRUE(content == "none" || (!acknowledged && content == "old content")) << content;
               });
}

TEST(FilesPowerLoss, OverwriteStaysOnceAcknowledgedAndTouchesNothingOutsideItsRegion) {
  at_every_cut([](Files& files) { return files.overwrite("/keys/a", 4, as_bytes("CONTENT")); },
               [](std::string const& content, bool acknowledged) {
                 EXPECT_EQ(content.substr(0, 4), "old ");
                 EXPECT_EQ(content.size(), 11U);
                 if (acknowledged) {
                   EXPECT_EQ(content, "old CONTENT");
                 }
               });
}

TEST(FilesPowerLoss, AMissingFsyncWouldBeNoticed) {
  int lost = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    auto const disk = std::make_shared<FaultDisk>(seed);
    ASSERT_TRUE(disk->make_folder("/keys").has_value());
    disk->ignore_sync(FileGroup::kFolder);
    auto const files = fault_files(disk);
    ASSERT_TRUE(files->replace("/keys/a", as_bytes("new content")).has_value());
    disk->cut_power();
    disk->restart();
    lost += files->read("/keys/a", 100).has_value() ? 0 : 1;
  }
  EXPECT_GT(lost, 0);
}

}  // namespace
}  // namespace tacenda::storage
