#pragma once

#include "core/error.hpp"
#include "monitor/mailer.hpp"
#include "start/config.hpp"
#include "storage/files.hpp"

namespace tacenda::start {

/// Hands mails to the mail server of the configuration. Errors: kInvalid (no mail server; a file of
/// credentials that is not two lines), those of reading that file.
Result<monitor::Mailer::Send> mail_sender(Config const& config, storage::Files& files);

}  // namespace tacenda::start
