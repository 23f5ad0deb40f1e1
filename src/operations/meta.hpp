#pragma once

#include <cstdint>
#include <string_view>

#include "codec/json.hpp"
#include "core/id.hpp"
#include "core/permit.hpp"
#include "operations/context.hpp"

namespace tacenda::operations {

/// [type]/[id]/$meta: the resource's meta as it is. Errors: as read. Source: R4 resource-operation-meta.html.
Result<Outcome> meta_of(Context const& context, Permit const& permit, std::string_view type,
                        ResourceId const& id);

/// [type]/$meta and $meta of the system (`type` is empty): the profiles, tags and labels that resources have
/// which the principal may search, in the order of their texts. Errors: kForbidden, those of
/// records::Store::meta_in_use. Source: R4 resource-operation-meta.html.
Result<Outcome> meta_in_use(Context const& context, std::string_view type);

enum class MetaChange : std::uint8_t { kAdd, kDelete };

/// [type]/[id]/$meta-add and $meta-delete: puts profiles, tags and labels into the resource's meta or takes
/// them out; what is there, or is not, stays. A new version, like every change: it needs the rights of an
/// update and of a read. `parameters` is a Parameters resource with one `meta`; the answer is what is kept,
/// labels that rules of the policy demand among it. Errors: kInvalid, kForbidden (a security label would go,
/// and the role may not take one off, C-18), those of read and update. Source: R4
/// resource-operation-meta-add.html, -meta-delete.html.
Result<Outcome> change_meta(Context const& context, Permit const& permit, std::string_view type,
                            ResourceId const& id, MetaChange change, codec::Json const& parameters);

}  // namespace tacenda::operations
