#include "tests/fuzz/codec_frames.h"

/* What routers get. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const enum codec_edge edges[] = {EDGE_BROKER_TO_ROUTER};
    struct codec_frames frames = codec_frames_cut(bytes, size, edges, 1);
    codec_frames_try(&frames);
    return 0;
}
