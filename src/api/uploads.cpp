// What a Binary will hold, stored while it comes: from the head of the request to the version that holds it.
#include "api/internal/binary.hpp"
#include "api/internal/exchange.hpp"
#include "core/application_limits.hpp"
#include "core/limits.hpp"
#include "core/process.hpp"

namespace tacenda::api {
namespace {

/// Does the client wait for what the head alone comes to, or could learn something of records by it?
bool asks_head(net::Request const& head) {
  return head.header("expect") || head.header("if-match") || head.header("if-none-exist");
}

}  // namespace

/// One upload. Owner: the pipeline; its members are touched by one worker at a time.
struct Pipeline::Uploading {
  Exchange exchange;
  std::string permitted_origin;  // whose pages may read the answer
  std::unique_ptr<operations::Uploads::Slot> slot;
  std::string held;                            // until it is known to be large
  std::optional<records::Upload> upload = {};  // when it is
};

Pipeline::Pipeline(Parts parts) : parts_(parts) {}
Pipeline::~Pipeline() = default;

bool Pipeline::takes_body(net::Request const& head) {
  auto const found = match(head.method, head.path);
  return found.has_value() && found->route != nullptr &&
         writes_binary(found->route->interaction, found->type) && streams_content(head);
}

std::variant<Released, Pipeline::UploadNumber> Pipeline::begin_upload(net::Request&& head) {
  auto uploading = std::make_unique<Uploading>();
  uploading->permitted_origin = permitted_origin(head);
  auto& exchange = uploading->exchange;
  exchange.request = std::move(head);
  auto ended = admit(exchange);
  if (!ended) ended = fhir(exchange, Intent::kTry);
  if (!ended) {
    auto slot = parts_.uploads.open(exchange.principal->id().view());
    if (slot.has_value()) uploading->slot = std::move(*slot);
    if (!slot.has_value()) ended = refuse(exchange, slot.error());
  }
  // That nothing stands against it is an answer, too, where the head asks for it.
  if (!ended && asks_head(exchange.request)) {
    if (auto const recorded = record_begun(exchange, nullptr); !recorded.has_value())
      ended = refuse(exchange, recorded.error());
  }
  if (ended) {
    if (!uploading->permitted_origin.empty()) ended->permit_origin(uploading->permitted_origin);
    return std::move(*ended);
  }
  MutexLock const lock(uploads_mutex_);
  UploadNumber const number{++last_upload_};
  uploads_.emplace(number, std::move(uploading));
  return number;
}

Result<void> Pipeline::still_admitted(Exchange const& exchange) const {
  auto const principal = TACENDA_TRY(authenticate(exchange.request));
  if (principal.id() != exchange.principal->id())
    return fail(ErrorKind::kUnauthenticated, "the account is another one than at the beginning");
  TACENDA_TRY_VOID(admits(principal, exchange.address));
  Time const now = parts_.clock.now();
  TACENDA_TRY_VOID(parts_.gate.admits_token(principal, now));
  return parts_.gate.is_complete(principal, now);
}

Result<void> Pipeline::record_begun(Exchange const& exchange, records::Upload const* stored_or_null) {
  audit::Event event = exchange.origin;
  event.kind = audit::EventKind::kUploadBegun;
  event.patients = exchange.tried_patients;
  for (std::size_t attempt = 0; attempt < limits::kCommitRetries; ++attempt) {
    vault::WriteSet set;
    TACENDA_TRY_VOID(confirm(*exchange.principal, set));
    if (stored_or_null != nullptr) stored_or_null->begin_in(set, parts_.clock.now());
    auto const receipt = parts_.log.commit(std::move(set), {event});
    if (receipt.has_value()) return {};
    if (receipt.error().kind() != ErrorKind::kConflict) return std::unexpected(receipt.error());
  }
  return fail(ErrorKind::kUnavailable, "the account changes too often to record what it does");
}

Pipeline::Uploading& Pipeline::uploading(UploadNumber number) {
  MutexLock const lock(uploads_mutex_);
  auto const found = uploads_.find(number);
  TACENDA_ASSERT(found != uploads_.end());
  return *found->second;
}

void Pipeline::drop_upload(UploadNumber number) {
  std::unique_ptr<Uploading> dropped;
  MutexLock const lock(uploads_mutex_);
  auto const found = uploads_.find(number);
  if (found == uploads_.end()) return;
  dropped = std::move(found->second);
  uploads_.erase(found);
}

Result<void> Pipeline::begin_storing(Uploading& uploading) {
  uploading.upload = TACENDA_TRY(records::Upload::begin(parts_.vault));
  uploading.slot->stores(uploading.upload->id());
  return record_begun(uploading.exchange, &*uploading.upload);
}

Result<void> Pipeline::store_batch(Uploading& uploading) {
  // Who was disabled or signed out meanwhile, or may not come from there any more, stores nothing more; what
  // he may do with records is decided at the end.
  TACENDA_TRY_VOID(still_admitted(uploading.exchange));
  vault::WriteSet unused;
  TACENDA_TRY_VOID(confirm(*uploading.exchange.principal, unused));
  auto const stored = parts_.log.commit_unseen(uploading.upload->next_batch());
  if (!stored.has_value() && stored.error().kind() == ErrorKind::kCorrupt)
    return fail(ErrorKind::kUnavailable, "the store is damaged: nothing is changed until it is repaired");
  return stored;
}

std::optional<Released> Pipeline::take_upload(UploadNumber number, std::string_view piece) {
  auto& uploading = this->uploading(number);
  Result<void> done;
  if (!uploading.upload && uploading.held.size() + piece.size() <= limits::kUploadHeldBytes) {
    uploading.held.append(piece);
    return std::nullopt;
  }
  if (!uploading.upload) {
    done = begin_storing(uploading);
    if (done.has_value()) uploading.upload->add(as_bytes(std::exchange(uploading.held, {})));
  }
  if (done.has_value()) {
    uploading.upload->add(as_bytes(piece));
    if (uploading.upload->is_due()) done = store_batch(uploading);
  }
  if (done.has_value()) return std::nullopt;
  auto refused = refuse(uploading.exchange, done.error());
  if (!uploading.permitted_origin.empty()) refused.permit_origin(uploading.permitted_origin);
  return refused;
}

Released Pipeline::finish_upload(UploadNumber number) {
  auto& uploading = this->uploading(number);
  auto& exchange = uploading.exchange;
  exchange.remarks.reports.clear();  // of the head alone: the resource is looked at anew
  auto released = [&]() -> Released {
    if (auto const still = still_admitted(exchange); !still.has_value())
      return refuse(exchange, still.error());
    if (!uploading.upload) {
      exchange.request.body = std::move(uploading.held);
      return dispatch(exchange);
    }
    uploading.upload->finish();
    if (auto const stored = store_batch(uploading); !stored.has_value())
      return refuse(exchange, stored.error());
    exchange.uploaded = uploading.upload->content();
    return dispatch(exchange);
  }();
  if (!uploading.permitted_origin.empty()) released.permit_origin(uploading.permitted_origin);
  return released;
}

}  // namespace tacenda::api
