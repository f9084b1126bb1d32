#include "lib/err.h"

#include <stdint.h>

#include "lib/check.h"

#define ERR_TEXT_ROW(name, text) [name] = (text),
static const char *const texts[VT_ERR_COUNT] = {ERR_LIST(ERR_TEXT_ROW)};
#undef ERR_TEXT_ROW

const char *err_text(vt_err err)
{
    uint32_t number = (uint32_t) err;
    return number < ARRAY_LENGTH(texts) ? texts[number] : "unknown error";
}
