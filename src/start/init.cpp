// `tacenda init`: a new store with its keys, policy, first administrator and development certificate.
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iostream>
#include <iterator>

#include "codec/json.hpp"
#include "codec/text.hpp"
#include "core/log.hpp"
#include "crypto/certificate.hpp"
#include "start/compositions.hpp"
#include "start/open_store.hpp"
#include "start/tls.hpp"
#include "storage/files.hpp"

namespace tacenda::start {
namespace {

using codec::Json;

/// The store is of no use without its first administrator: his account and the store's first event in one
/// commit.
Result<identity::Directory::Added> add_administrator(OpenStore& store, std::string const& name) {
  auto added = TACENDA_TRY(store.directory().add_user({name, "administrator", false, std::nullopt}));
  audit::Event created;
  created.kind = audit::EventKind::kStoreCreated;
  created.actor_name = "system";
  audit::Event user;
  user.kind = audit::EventKind::kUserAdded;
  user.actor_name = "system";
  user.target = name;
  user.new_value = "administrator";
  std::vector<audit::Event> events{std::move(created), std::move(user)};
  TACENDA_TRY_VOID(store.log().commit(TACENDA_TRY(added.pending.set()), std::move(events)));
  added.pending.committed();
  return added;
}

struct Made {
  std::filesystem::path ca;
  std::string code;
  Time expires{};
};

Result<Made> make_store(cli::InitOptions const& options, storage::Files& files) {
  SystemClock const clock;
  static crypto::SystemRandom random;
  vault::Places const places{options.data, options.key_file};
  auto const policy = TACENDA_TRY(access::Policy::shipped(options.policy));
  TACENDA_TRY_VOID(vault::Vault::create(files, places, random, clock));
  OpenOptions open;
  open.create = true;
  auto store = TACENDA_TRY(OpenStore::open(files, places, {}, open, random, clock));
  TACENDA_TRY_VOID(store->store_policy(policy->text()));
  Made made;
  made.ca = TACENDA_TRY(keep_tls(store->vault(), files, options, clock));
  auto const added = TACENDA_TRY(add_administrator(*store, options.admin));
  made.code = added.enrolment_code;
  made.expires = added.expires;
  return made;
}

std::string anchor_of(cli::InitOptions const& options) {
  return options.key_file.string() + ".anchor";
}

}  // namespace

int init(cli::InitOptions const& options) {
  ::umask(077);
  auto const files = storage::posix_files();
  auto const made = make_store(options, *files);
  if (!made.has_value()) {
    std::cerr << "tacenda: init: " << made.error().message() << "\n";
    return cli::kFailed;
  }
  if (auto const same = files->same_filesystem(
          options.data, options.key_file.parent_path().empty() ? "." : options.key_file.parent_path());
      same.has_value() && *same) {
    std::cerr << "tacenda: warning: the key file lies on the data's filesystem: who takes one takes both\n";
  }
  if (options.json) {
    Json json = Json::object();
    json.set("ca", Json::string(made->ca.string()));
    json.set("enrolment_code", Json::string(made->code));
    json.set("expires", Json::string(codec::format_instant(made->expires)));
    json.set("anchor", Json::string(anchor_of(options)));
    std::cout << codec::write_json(json) << "\n";
    return cli::kOk;
  }
  std::cout << "store       " << options.data.string() << "\n"
            << "key file    " << options.key_file.string()
            << "  (keep it elsewhere than the data; a lost key is lost data)\n"
            << "anchor      " << anchor_of(options) << "\n"
            << "ca          " << made->ca.string() << "\n"
            << "enrolment   " << made->code << "\n"
            << "            of " << options.admin << ", good once until "
            << codec::format_instant(made->expires) << "\n"
            << "next        tacenda serve --data " << options.data.string() << " --key-file "
            << options.key_file.string() << "\n"
            << "            then open https://127.0.0.1:8443/auth/enrol#" << made->code << "\n";
  return cli::kOk;
}

}  // namespace tacenda::start
