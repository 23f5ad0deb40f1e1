// A secret is neither copied nor printed, and one kind of key is not taken for another.
#include "core/secret.hpp"

#include <ostream>
#include <utility>

namespace tacenda {

using PatientKey = Secret<struct PatientKeyTag, 32>;
using FileKey = Secret<struct FileKeyTag, 32>;

#ifdef TACENDA_MISTAKE_COPIED
PatientKey twice(PatientKey const& key) {
  return key;
}
#endif

#ifdef TACENDA_MISTAKE_COPIED_BUFFER
SecretBuffer twice(SecretBuffer const& password) {
  return password;
}
#endif

#ifdef TACENDA_MISTAKE_PRINTED
void print(std::ostream& out, PatientKey const& key) {
  out << key;
}
#endif

#ifdef TACENDA_MISTAKE_MIXED_UP
FileKey as_file_key(PatientKey key) {
  return FileKey(std::move(key));
}
#endif

PatientKey handed_on(PatientKey key) {
  return key;
}
SecretBuffer handed_on(SecretBuffer password) {
  return password;
}
FileKey handed_on(FileKey key) {
  return key;
}

}  // namespace tacenda
