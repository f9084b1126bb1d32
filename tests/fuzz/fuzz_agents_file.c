/* A site's agents as YAML: profiles that can be read again, or a complaint with its place. */
#include <string.h>

#include "io/agents_file.h"
#include "lib/check.h"
#include "proto/requirements.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static struct agents_file file;
    static struct profile profile;
    vt_err err = agents_file_parse(&file, "agents.yaml", bytes_of(bytes, (uint32_t) length));
    if (err != VT_OK) {
        CHECK(strncmp(file.error, "agents.yaml", 11) == 0);
    }
    for (uint32_t i = 0; err == VT_OK && i < file.agent_count; i++) {
        CHECK(profile_read(file.agents[i].profile, &profile) == VT_OK);
        CHECK(file.agents[i].run[0] != NULL);
        CHECK(file.agents[i].capacity > 0);
    }
    agents_file_close(&file);
    return 0;
}
