#include "history/check_all.h"

namespace plurix::history {

Report check_all(const History&, const CheckOptions&) { return {}; }
std::string to_words(const Report&) { return "nothing was checked\n"; }
std::string to_json(const Report&, const History&) { return "{}"; }

}  // namespace plurix::history
