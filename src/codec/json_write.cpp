#include <algorithm>
#include <array>
#include <cstring>

#include "codec/internal/json_scan.hpp"
#include "codec/json.hpp"

namespace tacenda::codec {
namespace {

/// Gathers small pieces, since a std::string checks and ends itself with NUL at each append.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}
  Writer(Writer const&) = delete;
  Writer& operator=(Writer const&) = delete;
  ~Writer() { flush(); }

  void put(char c) {
    if (used_ == buffer_.size()) flush();
    buffer_[used_++] = c;
  }

  void put(std::string_view text) {
    if (text.size() > buffer_.size() - used_) {
      flush();
      if (text.size() > buffer_.size()) {
        out_.append(text);
        return;
      }
    }
    std::memcpy(buffer_.data() + used_, text.data(), text.size());
    used_ += text.size();
  }

  void put_string(std::string_view text) {
    put('"');
    char const* at = text.data();
    char const* const end = at + text.size();
    for (;;) {
      char const* const special = internal::find_special(at, end);
      put(std::string_view(at, special));
      if (special == end) break;
      put_escape(*special);
      at = special + 1;
    }
    put('"');
  }

 private:
  void put_escape(char c) {
    put('\\');
    switch (c) {
      case '"':
        return put('"');
      case '\\':
        return put('\\');
      case '\b':
        return put('b');
      case '\f':
        return put('f');
      case '\n':
        return put('n');
      case '\r':
        return put('r');
      case '\t':
        return put('t');
      default:
        put("u00");
        put(c < 0x10 ? '0' : '1');
        put("0123456789abcdef"[c & 15]);
    }
  }

  void flush() {
    out_.append(buffer_.data(), used_);
    used_ = 0;
  }

  std::string& out_;
  std::size_t used_ = 0;
  std::array<char, 2048> buffer_;
};

/// A container whose first `next` children are written.
struct Frame {
  Json const* container;
  std::size_t next;
};

void put_scalar_or_open(Writer& writer, Json const& value, std::vector<Frame>& frames) {
  switch (value.kind()) {
    case Json::Kind::kNull:
      return writer.put("null");
    case Json::Kind::kBoolean:
      return writer.put(value.as_boolean() ? "true" : "false");
    case Json::Kind::kNumber:
      return writer.put(value.number_text());
    case Json::Kind::kString:
      return writer.put_string(value.as_string());
    case Json::Kind::kArray:
    case Json::Kind::kObject:
      writer.put(value.is_array() ? '[' : '{');
      frames.push_back({&value, 0});
  }
}

}  // namespace

void write_json(Json const& value, std::string& out) {
  Writer writer(out);
  std::vector<Frame> frames;
  put_scalar_or_open(writer, value, frames);
  while (!frames.empty()) {
    Json const& container = *frames.back().container;
    std::size_t const i = frames.back().next++;
    if (container.is_array()) {
      auto const& items = container.items();
      if (i == items.size()) {
        writer.put(']');
        frames.pop_back();
        continue;
      }
      if (i > 0) writer.put(',');
      put_scalar_or_open(writer, items[i], frames);
    } else {
      auto const& members = container.members();
      if (i == members.size()) {
        writer.put('}');
        frames.pop_back();
        continue;
      }
      if (i > 0) writer.put(',');
      writer.put_string(members[i].name);
      writer.put(':');
      put_scalar_or_open(writer, members[i].value, frames);
    }
  }
}

std::string write_json(Json const& value) {
  std::string out;
  write_json(value, out);
  return out;
}

}  // namespace tacenda::codec
