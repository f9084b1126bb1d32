/* A plan as YAML: a snapshot in good order, or a complaint that names file and place. */
#include <string.h>

#include "io/plan_file.h"
#include "lib/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static struct plan_file file;
    vt_err err = plan_file_parse(&file, "plan.yaml", bytes_of(bytes, (uint32_t) length));
    if (err != VT_OK) {
        CHECK(strncmp(file.error, "plan.yaml", 9) == 0);
    } else {
        CHECK(file.plan.pool_count > 0);
        CHECK(file.plan.default_queue < file.plan.queue_count);
        for (uint32_t i = 1; i < file.plan.queue_count; i++) {
            CHECK(bytes_compare(file.plan.queues[i - 1].name, file.plan.queues[i].name) < 0);
        }
    }
    plan_file_close(&file);
    return 0;
}
