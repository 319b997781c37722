// A frame in words, one line: what scenario scripts show and failing tests print.
//
//   0 -> 1 t=4: PageReply page 7, request 1, contents
//   0 -> * t=5: CommitNotice time 5 by 0: write 5 7
#pragma once

#include <plurix/wire/messages.h>

#include <string>

namespace plurix::testing {

/// Sender, receiver, commit time, type and every field of the body. Says so if the frame is
/// malformed.
std::string frame_text(Bytes frame);

/// Only the type and the body's fields.
std::string body_text(const wire::FrameView& frame);

const char* type_text(wire::MessageType type);

/// The type of this name, as `type_text` gives it. False if there is none.
bool parse_type(const std::string& name, wire::MessageType& type);

}  // namespace plurix::testing
