#include "cli/cli.hpp"
#include "start/compositions.hpp"

int main(int argc, char** argv) {
  namespace start = tacenda::start;
  return tacenda::cli::run(argc, argv,
                           {.init = start::init,
                            .serve = start::serve,
                            .verify = start::verify,
                            .add_passphrase = start::add_passphrase,
                            .add_shares = start::add_shares,
                            .add_key_file = start::add_key_file,
                            .remove_slot = start::remove_slot,
                            .list_slots = start::list_slots,
                            .slots_of = start::slots_of,
                            .share_collection = start::share_collection});
}
