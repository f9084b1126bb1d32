#ifndef LIB_OPTIONS_VALUE_H
#define LIB_OPTIONS_VALUE_H

#include "lib/options.h"

/* Internal to options: one text into one value of the caller's struct. */

/* Stores `typed` at the row's offset in `values`, after its kind.
 * VT_INVALID: it is not what the row allows; options_value_expected() says what is.
 * VT_FULL: a list has OPTIONS_LIST_MAX items already.
 */
VT_MUST_USE vt_err options_value_store(const struct options_row *row,
                                       const char *typed,
                                       void *values);

/* "a number from 1 to 64": the end of "expected ...". */
void options_value_expected(const struct options_row *row, struct text *out);

/* "VENTANILLA_NOT_BEFORE" for "not-before". */
void options_value_environment_name(const struct options_row *row, struct text *out);

/* The number of choices in "table|json", and the one at `index` (below the number). */
uint32_t options_value_choice_count(const char *choices);
struct bytes options_value_choice(const char *choices, uint32_t index);

#endif
