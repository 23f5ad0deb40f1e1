#include "cli/internal/client_commands.hpp"

namespace tacenda::cli {

void add_client(CLI::App& app, ClientOptions& options, AddCommand const& command) {
  auto* parent =
      app.add_subcommand("client", "Applications that get tokens from /oauth/token (SMART on FHIR)");
  parent->require_subcommand(1);
  auto const common = [&options](CLI::App* sub) {
    sub->add_option("--data", options.data, "Folder of the running server's store")->required();
    sub->add_flag("--json", options.json, "Print JSON");
  };
  auto const id = [&options](CLI::App* sub) {
    sub->add_option("name", options.id, "Its client_id")->required();
  };
  auto* add = command(
      *parent, "add", "Register an application: one with --role acts for itself (SMART Backend Services)",
      "tacenda client add lab --jwks lab.jwks.json --scope 'system/Observation.rs' --role loader "
      "--data /srv/tacenda",
      [&options] { return client_add(options); });
  common(add);
  id(add);
  add->add_option("--scope", options.scope, "All that it may ever be given")->required();
  add->add_option("--jwks", options.jwks, "File with its public keys (JWKS): RSA for RS384, P-384 for ES384");
  add->add_option("--jwks-url", options.jwks_url, "https address of them, asked when they are needed");
  add->add_option(
      "--certificate", options.certificate,
      "Its client certificate, in the place of keys: a file in PEM, or SHA-256 of the DER in hex");
  add->add_flag("--bound-tokens", options.binds_tokens,
                "Its tokens are good with the client certificate of their connection alone (RFC 8705)");
  add->add_option("--role", options.role, "A role of the policy, of an application that acts for itself");
  add->add_option(
      "--redirect-uri", options.redirect_uris,
      "Where people are sent back to, of an application that acts for them; may be given several times");
  add->add_flag("--public", options.is_public, "It acts for people and has no key of its own: PKCE alone");
  add->add_option("--title", options.title, "What people are shown");
  auto* disable = command(*parent, "disable", "End an application and all its tokens, for good",
                          "tacenda client disable lab --data /srv/tacenda",
                          [&options] { return client_disable(options); });
  common(disable);
  id(disable);
  auto* keys = command(*parent, "keys", "Put other public keys in the place of all it has",
                       "tacenda client keys lab --jwks lab.jwks.json --data /srv/tacenda",
                       [&options] { return client_keys(options); });
  common(keys);
  id(keys);
  keys->add_option("--jwks", options.jwks, "File with its public keys (JWKS)");
  keys->add_option("--jwks-url", options.jwks_url, "https address of them");
  keys->add_option("--certificate", options.certificate,
                   "File with its client certificate (PEM), or SHA-256 in hex");
  auto* networks = command(*parent, "networks", "From which networks an application may be used",
                           "tacenda client networks lab --allow 10.20.0.0/16 --data /srv/tacenda",
                           [&options] { return client_networks(options); });
  common(networks);
  id(networks);
  networks->add_option("--allow", options.networks, "A network; may be given several times");
  networks->add_flag("--clear", options.any_network, "From anywhere that those it acts for may");
  auto* show =
      command(*parent, "show", "Everything about an application",
              "tacenda client show lab --data /srv/tacenda", [&options] { return client_show(options); });
  common(show);
  id(show);
  common(command(*parent, "list", "List all applications", "tacenda client list --data /srv/tacenda",
                 [&options] { return client_list(options); }));
}

}  // namespace tacenda::cli
