#include "cli/cli.hpp"
#include "start/compositions.hpp"

int main(int argc, char** argv) {
  return tacenda::cli::run(
      argc, argv,
      {tacenda::start::init, tacenda::start::serve, tacenda::start::verify, tacenda::start::add_passphrase});
}
