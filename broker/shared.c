#include "broker/shared.h"

#include "lib/check.h"

void shared_init(struct shared *shared, struct arena *arena, const struct intern_options *options)
{
    intern_init(&shared->strings, arena, options);
    shared->users = ARENA_ARRAY(arena, uint32_t, options->entry_count_max);
}

vt_err shared_take(struct shared *shared, struct bytes string, uint32_t *number)
{
    vt_err err = intern_put(&shared->strings, string, number);
    if (err == VT_OK) {
        shared->users[*number]++;
    }
    return err;
}

void shared_give(struct shared *shared, uint32_t number)
{
    CHECK(shared->users[number] > 0);
    shared->users[number]--;
    if (shared->users[number] == 0) {
        intern_remove(&shared->strings, number);
    }
}

struct bytes shared_get(const struct shared *shared, uint32_t number)
{
    return intern_get(&shared->strings, number);
}
