#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "interactions/test_server.hpp"

// C-11: nothing that access control hides can be seen or inferred. For each asker a second store is made that
// holds only what a slow, literal reading of the rules lets him see, and is asked by somebody who sees
// everything: any question must have the same answer in both. What is hidden is then as if it were not there.
namespace tacenda::operations::test {

/// Roles `all` and `plain` (who chooses no ids) see and do everything, the others what their rules let them.
extern std::string_view const kDecisionsPolicy;

enum class Wish : std::uint8_t {
  kNone,
  kOptOut,
  kOptOutButMe,
  kOptInNoHiv,
  kOptInNoObservations,
  kOptInNotMe,
  kOptInResearch
};

struct Person {
  std::string id;
  Wish wish = Wish::kNone;
  bool treated = false;    // by the asker
  bool emergency = false;  // the asker broke the glass for him, where his role may
};

struct Record {
  std::string type;
  std::string id;
  std::string patient;
  std::string level;  // confidentiality; empty: none
  bool hiv = false;
  std::string json;
  std::string other = {};  // of two patients: the second
  std::string code = {};
  std::string focused = {};  // whose the record is that it names, and so is it
};

struct World {
  std::vector<Person> people;
  std::vector<Record> records;  // in the order of their making
};

/// Who asks in the whole store.
struct Who {
  std::string name;
  std::string role;
  std::string code = {};  // an application's scopes reach Observations and Conditions with this code alone
  bool breaks_glass = false;  // for those people who have an emergency
};

std::vector<Who> everybody();

/// Makes worlds and questions about them by a seed. Owner: one thread.
class Maker {
 public:
  explicit Maker(std::uint32_t seed) : random_(seed) {}

  World world();
  std::string query(World const& world);
  std::size_t pick(std::size_t below) {
    return std::uniform_int_distribution<std::size_t>(0, below - 1)(random_);
  }

 private:
  void add(World& world, Record record, std::string const& rest);
  void label(Record& record);
  void add_person(World& world, Person const& person);
  void add_record(World& world, Person const& person, std::size_t number);
  /// A Task or a Device, of types without a compartment: of whom they name, one patient or two.
  void add_other(World& world, std::size_t number);

  std::mt19937 random_;
};

/// The rules, read literally and slowly. Nothing of access/ is used.
bool may_see(Who const& who, World const& world, Record const& record);
/// Its text as it is seen: a view leaves the names of a Patient.
std::string seen_text(Who const& who, Record const& record);

/// Writes the world into a store that is not yet looked at, as far as `text` gives it.
void fill(TestServer& server, World const& world,
          std::function<std::optional<std::string>(Record const&)> const& text);
/// A store of what `who` may see, which `all` and `plain` see whole.
std::unique_ptr<TestServer> store_of_what_is_seen(Who const& who, World const& world);
/// A store of all of it, with open eyes.
std::unique_ptr<TestServer> store_of_all(World const& world);
/// Signs `who` in, with what he is and has done.
identity::Principal sign_in(TestServer& server, Who const& who, World const& world);

/// Worlds that a test makes; TACENDA_DECISION_ROUNDS=100 asks more.
std::uint32_t rounds();

}  // namespace tacenda::operations::test
