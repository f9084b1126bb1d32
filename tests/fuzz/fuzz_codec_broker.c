#include "tests/fuzz/codec_frames.h"

/* What brokers get from everybody. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const enum codec_edge edges[] = {
        EDGE_CLIENT_TO_BROKER, EDGE_SITE_TO_BROKER, EDGE_ROUTER_TO_BROKER};
    struct codec_frames frames = codec_frames_cut(bytes, size, edges, 3);
    codec_frames_try(&frames);
    return 0;
}
