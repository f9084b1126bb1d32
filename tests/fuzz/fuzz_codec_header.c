#include "tests/fuzz/codec_frames.h"

/* The header frame alone, on every edge. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const enum codec_edge edges[] = {EDGE_CLIENT_TO_BROKER,
                                            EDGE_BROKER_TO_CLIENT,
                                            EDGE_SITE_TO_BROKER,
                                            EDGE_BROKER_TO_SITE,
                                            EDGE_ROUTER_TO_BROKER,
                                            EDGE_BROKER_TO_ROUTER};
    struct codec_frames frames = codec_frames_cut(bytes, size, edges, EDGE_COUNT);
    frames.body = (struct bytes){0};
    codec_frames_try(&frames);
    return 0;
}
