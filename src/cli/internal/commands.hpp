#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "cli/options.hpp"
#include "codec/json.hpp"

/// The subcommands that talk to a running server. Each gives the exit code.
namespace tacenda::cli {

struct Compositions;

struct LoginOptions {
  std::string url;
  std::string ca;
  std::string user;
  std::string token_file;
  bool admin = false;
  std::filesystem::path data;
};
int login(LoginOptions const& options);

struct UserOptions {
  std::filesystem::path data;
  std::string name;
  std::string role;
  std::string patient;
  std::string certificate;  // SHA-256, hex
  std::vector<std::string> networks;
  bool any_network = false;
  std::string until;  // date or instant
  bool never = false;
  bool service = false;
  bool emergency = false;
  std::string external_id;
  std::string subject;
  bool by_subject = false;
  bool unlink = false;
  bool json = false;
};
int user_add(UserOptions const& options);
int user_disable(UserOptions const& options);
int user_list(UserOptions const& options);
int user_renew(UserOptions const& options);
int user_reseal(UserOptions const& options);
int user_role(UserOptions const& options);
int user_unlock(UserOptions const& options);
int user_certificate(UserOptions const& options);
int user_networks(UserOptions const& options);
int user_until(UserOptions const& options);
int user_link(UserOptions const& options);

/// `tacenda policy`, `tacenda emergency` and `tacenda access-list`.
struct AccessOptions {
  std::filesystem::path data;
  std::filesystem::path file;
  std::string user;
  std::string patient;
  std::string action = "read";
  std::string resource;
  std::string purpose;
  std::string address;
  std::string scope;
  std::string id;
  std::string finding;
  std::string reason;
  int hours = 24;
  std::uint64_t version = 0;  // of the policy; 0: the one that holds
  bool open = false;
  bool json = false;
};
int policy_show(AccessOptions const& options);
int policy_history(AccessOptions const& options);
int policy_set(AccessOptions const& options);
int policy_explain(AccessOptions const& options);
int policy_relabel(AccessOptions const& options);
int emergency_list(AccessOptions const& options);
int emergency_review(AccessOptions const& options);
int emergency_on(AccessOptions const& options);
int emergency_off(AccessOptions const& options);
int access_list(AccessOptions const& options);
int access_list_change(AccessOptions const& options, bool listed);
int user_practitioner(AccessOptions const& options);

/// `tacenda alerts`.
struct AlertOptions {
  std::filesystem::path data;
  std::string id;
  std::string note;
  std::string patient;
  bool open = false;
  bool json = false;
};
int alerts_list(AlertOptions const& options);
/// Prints new ones as they come, until the session is too old (kDenied) or the server is gone.
int alerts_follow(AlertOptions const& options);
int alerts_answer(AlertOptions const& options, std::string_view state);
/// Prints what an enrolment is begun with, or a token.
void show_enrolment(codec::Json const& answer);
void show_token(codec::Json const& answer);
/// In two parts, for two sheets of paper that lie in two places.
void show_credential(codec::Json const& answer);

/// `tacenda client`.
struct ClientOptions {
  std::filesystem::path data;
  std::string id;
  std::string title;
  std::string role;
  std::string scope;
  std::filesystem::path jwks;
  std::string jwks_url;
  std::string certificate;  // hex, or the path of a file in PEM
  bool binds_tokens = false;
  std::vector<std::string> redirect_uris;
  std::vector<std::string> networks;
  bool any_network = false;
  bool is_public = false;
  bool json = false;
};
int client_add(ClientOptions const& options);
int client_disable(ClientOptions const& options);
int client_keys(ClientOptions const& options);
int client_networks(ClientOptions const& options);
int client_show(ClientOptions const& options);
int client_list(ClientOptions const& options);

struct TokenOptions {
  std::filesystem::path data;
  std::string user;
  std::string expires = "1h";
  bool json = false;
};
int token_issue(TokenOptions const& options);

struct LoadOptions {
  std::vector<std::string> inputs;
  std::string url;
  std::string ca;
  std::string token_file;
  std::string journal;
  std::size_t parallel = 4;
  bool json = false;
};
int load(LoadOptions const& options);

struct AuditOptions {
  std::filesystem::path data;
  std::string patient;
  std::string user;
  std::string since;
  std::string until;
  std::string event;  // of this kind alone; empty: all
  std::string type;   // about this resource type alone; empty: all
  std::string sort;   // empty: in the order of the log
  std::uint64_t sequence = 0;
  std::uint64_t limit = 100;
  bool all = false;
  bool json = false;
  bool fhir = false;
};
int audit_list(AuditOptions const& options);
int audit_checkpoint(AuditOptions const& options);
int audit_proof(AuditOptions const& options);

struct BenchOptions {
  std::string url;
  std::string ca;
  std::string token_file;
  std::string resource;  // "Patient/123"
  std::size_t connections = 16;
  int seconds = 5;
};
int bench(BenchOptions const& options);

struct ExplainOptions {
  std::string url;
  std::string ca;
  std::string token_file;
  std::string query;  // "Patient?name=smith"
  bool json = false;
};
int explain(ExplainOptions const& options);
int reindex(std::filesystem::path const& data, bool json);

int verify_online(VerifyOptions const& options);
int status(std::filesystem::path const& data, bool json);
/// True when a server answers on the data folder. Prints nothing.
bool status_quietly(std::filesystem::path const& data);
int doctor(DoctorOptions const& options, Compositions const& compositions);
int seal(std::filesystem::path const& data);

}  // namespace tacenda::cli
