#ifndef LIB_ERR_H
#define LIB_ERR_H

/* The one vocabulary for what the world can do to a call. Bugs are not here: they are CHECKs.
 *
 * X(name, text for people); the numbers are part of the wire, so new ones go at the end.
 */
#define ERR_LIST(X)                           \
    X(VT_OK, "ok")                            \
    X(VT_FULL, "full")                        \
    X(VT_CONFLICT, "conflict")                \
    X(VT_NOT_FOUND, "not found")              \
    X(VT_INVALID, "invalid")                  \
    X(VT_UNAVAILABLE, "unavailable")          \
    X(VT_TIMEOUT, "timed out")                \
    X(VT_STALE, "stale")                      \
    X(VT_DENIED, "denied")                    \
    X(VT_TOO_LARGE, "too large")              \
    X(VT_CORRUPT, "corrupt")                  \
    X(VT_NEWER, "written by a newer version") \
    X(VT_UNKNOWN, "outcome unknown")

#define ERR_ENUM_ROW(name, text) name,
typedef enum {
    ERR_LIST(ERR_ENUM_ROW) VT_ERR_COUNT
} vt_err;
#undef ERR_ENUM_ROW

#define VT_MUST_USE __attribute__((warn_unused_result))

/* A static text in lower case without a full stop. Any number may be given, also one that came
 * over the wire and is out of range ("unknown error").
 */
const char *err_text(vt_err err);

#endif
