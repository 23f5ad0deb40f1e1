#pragma once

#include <string>
#include <string_view>

namespace tacenda::codec {

/// The text as a search compares it: case folded, decomposed, without combining marks and punctuation,
/// repeated blanks made one and those at the ends dropped ("O'Müller" and "OMULLER " are "omuller"). Text
/// that is not UTF-8 comes back as it is. Source: Unicode case folding and NFKD; R4 search.html#string.
std::string fold(std::string_view text);

}  // namespace tacenda::codec
