#include "tests/fuzz/codec_frames.h"

/* What agent sites send to a broker and what reaches them. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const enum codec_edge edges[] = {EDGE_SITE_TO_BROKER, EDGE_BROKER_TO_SITE};
    struct codec_frames frames = codec_frames_cut(bytes, size, edges, 2);
    codec_frames_try(&frames);
    return 0;
}
