#ifndef TESTS_FUZZ_CODEC_FRAMES_H
#define TESTS_FUZZ_CODEC_FRAMES_H

/* What the codec's fuzz targets share. An input is u8 edge (modulo the target's edges), u8 size of
 * the header frame, the header frame, and the body frame: all that is left. */

#include <stddef.h>
#include <stdint.h>

#include "proto/codec.h"

struct codec_frames {
    enum codec_edge edge;
    struct bytes header;
    struct bytes body;
};

/* Cuts an input apart; too short ones give empty frames. */
struct codec_frames codec_frames_cut(const uint8_t *bytes,
                                     size_t size,
                                     const enum codec_edge *edges,
                                     uint32_t edge_count);

/* Decodes; what was understood is encoded and decoded again and must come out the same. */
void codec_frames_try(const struct codec_frames *frames);

#endif
