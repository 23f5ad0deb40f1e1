#include "cli/cli.hpp"

#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "cli/internal/alert_commands.hpp"
#include "cli/internal/approvals.hpp"
#include "cli/internal/bench_command.hpp"
#include "cli/internal/client_commands.hpp"
#include "cli/internal/commands.hpp"
#include "cli/internal/emergency_commands.hpp"
#include "cli/internal/erasure_commands.hpp"
#include "cli/internal/key_commands.hpp"
#include "cli/internal/slot_commands.hpp"
#include "core/limits.hpp"
#include "core/process.hpp"

namespace tacenda::cli {
namespace {

constexpr char kVersion[] = "0.1.0";

/// The subcommands with their options. Each puts what to do into `action`.
class Commands {
 public:
  Commands(CLI::App& app, Compositions const& compositions) : app_(app), compositions_(compositions) {
    AddCommand const add = [this](auto&&... how) { return command(how...); };
    add_init();
    add_serve();
    add_login();
    add_user();
    add_token();
    add_client(app_, client_, add);
    add_policy();
    add_approvals(app_, approvals_, add);
    add_emergency(app_, access_, add);
    add_alert_commands(app_, alerts_, add);
    add_key_commands(app_, keys_, add);
    add_erasure(app_, erasures_, add);
    add_access_list();
    add_load();
    add_audit();
    add_index();
    add_inspect();
    add_slot_commands(app_, slot_, unseal_, compositions_, add);
    add_bench_command(app_, bench_, add);
  }
  int run() { return action_ ? action_() : kUsage; }

 private:
  /// A subcommand whose parsing chooses `action`.
  CLI::App* command(CLI::App& parent, std::string const& name, std::string const& description,
                    std::string const& example, std::function<int()> action) {
    auto* sub = parent.add_subcommand(name, description);
    sub->footer("Example:\n  " + example);
    sub->callback([this, action = std::move(action)] { action_ = action; });
    return sub;
  }

  void add_init() {
    auto* sub =
        command(app_, "init", "Make a new store: keys, policy, first administrator, development certificate",
                "tacenda init --data /srv/tacenda --key-file /etc/tacenda/key --admin alice",
                [this] { return compositions_.init(init_); });
    sub->add_option("--data", init_.data, "Folder of the new store; must not exist")->required();
    sub->add_option("--key-file", init_.key_file,
                    "Key file to make (0600), on another filesystem than the data")
        ->required();
    sub->add_option("--admin", init_.admin, "Name of the first administrator")->required();
    sub->add_option(
           "--policy", init_.policy,
           "separated: administrators do not read records; classic: they do; hospital: a hospital's roles, "
           "clinicians see whom they treat")
        ->check(CLI::IsMember({"separated", "classic", "hospital"}))
        ->capture_default_str();
    auto* cert = sub->add_option("--tls-cert", init_.tls_cert,
                                 "Certificate chain (PEM) in place of a development authority");
    auto* key = sub->add_option("--tls-key", init_.tls_key, "Its private key (PEM); kept in the vault");
    cert->needs(key);
    key->needs(cert);
    sub->add_flag("--json", init_.json, "Print {ca, enrolment_code, expires, anchor}");
  }

  void add_serve() {
    auto* sub = command(app_, "serve", "Serve FHIR over TLS until SIGTERM",
                        "tacenda serve --data /srv/tacenda --key-file /etc/tacenda/key --listen 0.0.0.0:8443",
                        [this] { return compositions_.serve(serve_); });
    sub->add_option("--data", serve_.data, "Folder of the store")->required();
    sub->add_option("--key-file", serve_.key_file, "Key file; the server starts sealed when it is not there");
    sub->add_option("--listen", serve_.listen,
                    "ADDRESS:PORT; port 0 takes any free one (default 127.0.0.1:8443)");
    sub->add_option("--config", serve_.config, "TOML file; docs/operating/configuration.md");
    sub->add_option("--emergency", serve_.emergency,
                    "Turn emergency mode on for 24 hours, for this reason; docs/operating/emergency.md")
        ->check([](std::string const& reason) -> std::string {
          bool const says = reason.find_first_not_of(" \t\r\n") != std::string::npos;
          return says && reason.size() <= limits::kReasonBytes ? "" : "say why, in at most 2,000 bytes";
        });
  }

  void add_login() {
    auto* sub = command(
        app_, "login", "Sign in with password and second factor, from the terminal or two lines of stdin",
        "tacenda login --url https://localhost:8443/fhir --ca ca.pem --user dr.demo --token-file token\n"
        "  tacenda login --admin --data /srv/tacenda --user alice",
        [this] {
          if (login_.admin ? login_.data.empty() : login_.url.empty() || login_.token_file.empty()) {
            std::cerr << "tacenda: login: give --admin --data DIR, or --url URL --token-file FILE\n";
            return static_cast<int>(kUsage);
          }
          return login(login_);
        });
    sub->add_option("--url", login_.url, "FHIR base of the server");
    sub->add_option("--ca", login_.ca, "Trust anchor (PEM)");
    sub->add_option("--user", login_.user, "User name")->required();
    sub->add_option("--token-file", login_.token_file, "Where to put the access token (0600)");
    sub->add_flag("--admin", login_.admin, "Sign in for administration, over the socket of --data");
    sub->add_option("--data", login_.data, "Folder of the running server's store");
  }

  void add_user() {
    auto* parent = app_.add_subcommand("user", "Manage people and service accounts");
    parent->require_subcommand(1);
    auto const common = [this](CLI::App* sub) {
      sub->add_option("--data", user_.data, "Folder of the running server's store")->required();
      sub->add_flag("--json", user_.json, "Print JSON");
    };
    auto const name = [this](CLI::App* sub) { sub->add_option("name", user_.name, "User name")->required(); };
    auto* add = command(
        *parent, "add",
        "Add a person (prints a one-time enrolment code) or a service account; may wait for a second person",
        "tacenda user add dr.demo --role doctor --data /srv/tacenda", [this] { return user_add(user_); });
    common(add);
    name(add);
    add->add_option("--role", user_.role, "A role of the policy")->required();
    add->add_option("--patient", user_.patient,
                    "Logical id of the Patient whose own record this person sees");
    add->add_option("--until", user_.until, "When the account ends by itself, 2027-01-31 or an instant");
    auto* service =
        add->add_flag("--service", user_.service, "A service account: no password, tokens by `token issue`");
    add->add_flag("--emergency", user_.emergency,
                  "An emergency account: a credential to be printed and sealed, good in emergency mode alone")
        ->excludes(service);
    auto* reseal =
        command(*parent, "reseal", "Another credential for an emergency account, to be printed",
                "tacenda user reseal er.demo --data /srv/tacenda", [this] { return user_reseal(user_); });
    common(reseal);
    name(reseal);
    auto* disable =
        command(*parent, "disable", "End all sessions and tokens of a user, for good",
                "tacenda user disable dr.demo --data /srv/tacenda", [this] { return user_disable(user_); });
    common(disable);
    name(disable);
    common(command(*parent, "list", "List all accounts", "tacenda user list --data /srv/tacenda",
                   [this] { return user_list(user_); }));
    auto* renew =
        command(*parent, "renew", "A new one-time enrolment: new password and second factor",
                "tacenda user renew dr.demo --data /srv/tacenda", [this] { return user_renew(user_); });
    common(renew);
    name(renew);
    auto* role = command(*parent, "role", "Change the role of an account; may wait for a second person",
                         "tacenda user role dr.demo --role nurse --data /srv/tacenda",
                         [this] { return user_role(user_); });
    common(role);
    name(role);
    role->add_option("--role", user_.role, "A role of the policy")->required();
    auto* unlock =
        command(*parent, "unlock", "Let a user try again after 100 failures",
                "tacenda user unlock dr.demo --data /srv/tacenda", [this] { return user_unlock(user_); });
    common(unlock);
    name(unlock);
    auto* certificate = command(*parent, "certificate", "Bind a client certificate to a service account",
                                "tacenda user certificate lab --sha256 HEX --data /srv/tacenda",
                                [this] { return user_certificate(user_); });
    common(certificate);
    name(certificate);
    certificate->add_option("--sha256", user_.certificate, "SHA-256 of the certificate's DER, hex")
        ->required();
    auto* practitioner =
        command(*parent, "practitioner",
                "Say which Practitioner a user is; without --id: none any more; may wait for a second person",
                "tacenda user practitioner dr.demo --id 123 --data /srv/tacenda",
                [this] { return user_practitioner(access_); });
    access_common(practitioner);
    practitioner->add_option("name", access_.user, "User name")->required();
    practitioner->add_option("--id", access_.id, "Logical id of the Practitioner");
    auto* networks = command(*parent, "networks", "From which networks an account may be used",
                             "tacenda user networks lab --allow 10.20.0.0/16 --data /srv/tacenda",
                             [this] { return user_networks(user_); });
    common(networks);
    name(networks);
    networks->add_option("--allow", user_.networks, "A network; may be given several times");
    networks->add_flag("--any", user_.any_network, "From anywhere that its role may");
    auto* until = command(*parent, "until", "When an account ends by itself, with all that it has open",
                          "tacenda user until guardian --date 2027-01-31 --data /srv/tacenda",
                          [this] { return user_until(user_); });
    common(until);
    name(until);
    until->add_option("--date", user_.until, "A date (its beginning in UTC) or an instant");
    until->add_flag("--never", user_.never, "It does not");
    auto* link = command(*parent, "link", "Let the identity provider (SCIM) know of an account and end it",
                         "tacenda user link dr.demo --external-id 7f3a --data /srv/tacenda",
                         [this] { return user_link(user_); });
    common(link);
    name(link);
    link->add_option("--external-id", user_.external_id, "What the identity provider calls the account");
    link->add_option("--subject", user_.subject,
                     "Who the user is at the OpenID provider (sub), in place of that");
    link->add_flag("--openid", user_.by_subject, "With --remove: take back who he is at the OpenID provider");
    link->add_flag("--remove", user_.unlink, "Take it back");
  }

  void access_common(CLI::App* sub) {
    sub->add_option("--data", access_.data, "Folder of the running server's store")->required();
    sub->add_flag("--json", access_.json, "Print JSON");
  }

  void add_policy() {
    auto* parent = app_.add_subcommand("policy", "Roles and their rights");
    parent->require_subcommand(1);
    auto* show = command(*parent, "show", "Print the policy that holds, or one that held (TOML)",
                         "tacenda policy show --data /srv/tacenda > policy.toml",
                         [this] { return policy_show(access_); });
    access_common(show);
    show->add_option("--version", access_.version, "The version that `policy history` lists")
        ->check(CLI::PositiveNumber);
    access_common(command(*parent, "history", "List every version of the policy: when it came, and by whom",
                          "tacenda policy history --data /srv/tacenda",
                          [this] { return policy_history(access_); }));
    auto* set = command(
        *parent, "set", "Put another policy in its place; waits for a second person, unless approvals = 1",
        "tacenda policy set policy.toml --data /srv/tacenda", [this] { return policy_set(access_); });
    access_common(set);
    set->add_option("file", access_.file, "TOML file")->required();
    access_common(
        command(*parent, "relabel", "Put the labels that the policy's rules demand on what is stored",
                "tacenda policy relabel --data /srv/tacenda", [this] { return policy_relabel(access_); }));
    auto* why = command(
        *parent, "explain", "Say whether a user may, and what decides it; nothing is opened for anybody",
        "tacenda policy explain --user dr.demo --action read --resource Patient/123 --data /srv/tacenda",
        [this] { return policy_explain(access_); });
    access_common(why);
    why->add_option("--user", access_.user, "User name")->required();
    why->add_option("--action", access_.action, "read, search, create, update, delete, export ...")
        ->capture_default_str();
    why->add_option("--resource", access_.resource, "Type, or Type/id")->required();
    why->add_option("--purpose", access_.purpose,
                    "Purpose of use (TREAT, HRESCH ...); the role's own without");
    why->add_option("--address", access_.address, "From where, to ask about networks, too");
    why->add_option("--scope", access_.scope, "By an application with these scopes: user/Observation.rs");
    why->add_option("--patient", access_.patient, "Whom its patient/ scopes are about");
  }

  void add_access_list() {
    auto* parent =
        app_.add_subcommand("access-list", "Who may see records that are labelled very restricted");
    parent->require_subcommand(1);
    access_common(command(*parent, "show", "Print the lists", "tacenda access-list show --data /srv/tacenda",
                          [this] { return access_list(access_); }));
    for (bool const listed : {true, false}) {
      auto* sub = command(*parent, listed ? "add" : "remove",
                          listed ? "Put a user on a list; may wait for a second person"
                                 : "Take a user off a list; the last one may wait for a second person",
                          "tacenda access-list add --patient 123 --user dr.demo --data /srv/tacenda",
                          [this, listed] { return access_list_change(access_, listed); });
      access_common(sub);
      sub->add_option("--patient", access_.patient, "Logical id of the Patient")->required();
      sub->add_option("--user", access_.user, "User name")->required();
    }
  }

  void add_token() {
    auto* parent = app_.add_subcommand("token", "Tokens of service accounts");
    parent->require_subcommand(1);
    auto* sub = command(*parent, "issue", "Issue an access token to a service account (people log in)",
                        "tacenda token issue --user loader --expires 1h --data /srv/tacenda",
                        [this] { return token_issue(token_); });
    sub->add_option("--user", token_.user, "Service account")->required();
    sub->add_option("--expires", token_.expires,
                    "Lifetime: 90s, 15m, 1h (at most); up to 180d for a role that provisions users")
        ->capture_default_str();
    sub->add_option("--data", token_.data, "Folder of the running server's store")->required();
    sub->add_flag("--json", token_.json, "Print {access_token, expires_at}");
  }

  void add_load() {
    auto* sub = command(
        app_, "load", "Load FHIR bundles (.json) or resources (.ndjson); goes on where it was cut off",
        "tacenda load samples/ --url https://localhost:8443/fhir --ca ca.pem --token-file token",
        [this] { return load(load_); });
    sub->add_option("inputs", load_.inputs, "Files and folders")->required();
    sub->add_option("--url", load_.url, "FHIR base of the server")->required();
    sub->add_option("--ca", load_.ca, "Trust anchor (PEM)");
    sub->add_option("--token-file", load_.token_file, "File with the access token")->required();
    sub->add_option("--parallel", load_.parallel, "Files at once")
        ->check(CLI::Range(1, 64))
        ->capture_default_str();
    sub->add_option("--journal", load_.journal,
                    "Where finished files are noted (default: <token file>.loaded)");
    sub->add_flag("--json", load_.json, "Print {files, skipped, failed, entries}");
  }

  void add_audit() {
    auto* parent = app_.add_subcommand("audit", "Read the audit log");
    parent->require_subcommand(1);
    auto const common = [this](CLI::App* sub) {
      sub->add_option("--data", audit_.data, "Folder of the running server's store")->required();
      sub->add_flag("--json", audit_.json, "Print JSON");
    };
    auto* list = command(*parent, "list", "Who did what, when, to whose record",
                         "tacenda audit list --patient 123 --since 2026-11-01 --data /srv/tacenda",
                         [this] { return audit_list(audit_); });
    common(list);
    list->add_option("--patient", audit_.patient, "Logical id of a Patient");
    list->add_option("--user", audit_.user, "User name");
    list->add_option("--since", audit_.since, "From this time on (RFC 3339, or a date)");
    list->add_option("--until", audit_.until, "Before this time");
    list->add_option("--limit", audit_.limit, "At most so many entries")->capture_default_str();
    list->add_flag("--all", audit_.all, "All entries that match");
    auto* fhir = list->add_flag("--fhir", audit_.fhir, "Print FHIR AuditEvent resources, one a line");
    list->add_option("--event", audit_.event, "Of this kind alone: read, login, policy-changed ...")
        ->excludes(fhir);
    list->add_option("--type", audit_.type, "About this resource type alone")->excludes(fhir);
    list->add_option(
            "--sort", audit_.sort,
            "By recorded, patient, user, event, type, outcome or network; -user: the other way round")
        ->excludes(fhir);
    common(command(*parent, "checkpoint", "The newest signed tree head (C2SP signed note)",
                   "tacenda audit checkpoint --data /srv/tacenda",
                   [this] { return audit_checkpoint(audit_); }));
    auto* proof =
        command(*parent, "proof", "Inclusion proof of one entry",
                "tacenda audit proof 17 --data /srv/tacenda", [this] { return audit_proof(audit_); });
    common(proof);
    proof->add_option("sequence", audit_.sequence, "Number of the entry")->required();
  }

  void add_index() {
    auto* again =
        command(app_, "reindex", "Write the search index again from the records, while the server serves",
                "tacenda reindex --data /srv/tacenda", [this] { return reindex(data_, json_); });
    again->add_option("--data", data_, "Folder of the running server's store")->required();
    again->add_flag("--json", json_, "Print {state, answers, done, total, parameters, awaited}");
    auto* plan = command(app_, "explain", "Show how a search is made: which index is walked, which is tested",
                         "tacenda explain 'Patient?name=smith' --url https://localhost:8443/fhir --ca ca.pem "
                         "--token-file token",
                         [this] { return explain(explain_); });
    plan->add_option("query", explain_.query, "Type and parameters")->required();
    plan->add_option("--url", explain_.url, "FHIR base of the server")->required();
    plan->add_option("--ca", explain_.ca, "Trust anchor (PEM)");
    plan->add_option("--token-file", explain_.token_file, "File with the access token")->required();
    plan->add_flag("--json", explain_.json, "Print {steps, warnings}");
  }

  void add_inspect() {
    auto* sub = command(app_, "verify",
                        "Recompute everything the store promises; names what is damaged (exit code 3)",
                        "tacenda verify --data /srv/tacenda --key-file /etc/tacenda/key", [this] {
                          // While a server has the store open, only it can look.
                          bool const served = status_quietly(verify_.data);
                          return served ? verify_online(verify_) : verify_stopped(verify_, compositions_);
                        });
    sub->add_option("--data", verify_.data, "Folder of the store")->required();
    sub->add_option("--key-file", verify_.key_file,
                    "Key file; not needed while a server runs. When it is not there: a passphrase or shares "
                    "are asked for");
    sub->add_flag("--json", verify_.json, "Print JSON");
    auto* state = command(app_, "status", "State of the server on a data folder (exit code 5: sealed)",
                          "tacenda status --data /srv/tacenda", [this] { return status(data_, json_); });
    state->add_option("--data", data_, "Folder of the store")->required();
    state->add_flag("--json", json_, "Print JSON");
    auto* examine = command(app_, "doctor", "Look for what is unsafe in this installation",
                            "tacenda doctor --data /srv/tacenda --key-file /etc/tacenda/key",
                            [this] { return doctor(doctor_, compositions_); });
    examine->add_option("--data", doctor_.data, "Folder of the store")->required();
    examine->add_option("--key-file", doctor_.key_file, "Key file");
    auto* close = command(app_, "seal", "Wipe the keys of the running server",
                          "tacenda seal --data /srv/tacenda", [this] { return seal(data_); });
    close->add_option("--data", data_, "Folder of the store")->required();
  }

  CLI::App& app_;
  Compositions const& compositions_;
  std::function<int()> action_;
  InitOptions init_;
  ServeOptions serve_;
  LoginOptions login_;
  UserOptions user_;
  AccessOptions access_;
  AlertOptions alerts_;
  KeyOptions keys_;
  ApprovalsOptions approvals_;
  ErasureOptions erasures_;
  TokenOptions token_;
  ClientOptions client_;
  LoadOptions load_;
  AuditOptions audit_;
  VerifyOptions verify_;
  DoctorOptions doctor_;
  SlotOptions slot_;
  UnsealOptions unseal_;
  BenchOptions bench_;
  ExplainOptions explain_;
  std::filesystem::path data_;
  bool json_ = false;
};

}  // namespace

int run(int argc, char** argv, Compositions const& compositions) {
  CLI::App app(
      "Tacenda: a FHIR R4 medical record server, sealed at rest, every access decided and recorded.");
  app.set_version_flag("--version", kVersion);
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 ok, 1 failed, 2 usage, 3 damage found, 4 denied, 5 sealed, 6 waits for a second "
      "person.");
  Commands commands(app, compositions);
  try {
    app.parse(argc, argv);
  } catch (CLI::ParseError const& error) {  // CLI11's way to report usage, --help and --version
    return app.exit(error) == 0 ? kOk : kUsage;
  }
  // Here and not in `serve`: most commands hold a key, a passphrase, a share, a password or a token for a
  // while.
  if (auto const result = forbid_core_dumps(); !result.has_value()) {
    std::cerr << "tacenda: " << result.error().message() << "\n";
    return kFailed;
  }
  return commands.run();
}

}  // namespace tacenda::cli
