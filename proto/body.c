#include "proto/body.h"

#include <string.h>

#include "lib/check.h"

#define BODY_VERSION 1u

uint32_t body_size(const struct attribute *attributes, uint32_t count, struct bytes text)
{
    uint32_t size = 2 + text.size;
    for (uint32_t i = 0; i < count; i++) {
        size += 1 + attributes[i].name.size + 2 + attributes[i].value.size;
    }
    return size;
}

static uint8_t *put(uint8_t *end, struct bytes bytes)
{
    if (bytes.size != 0) {
        memcpy(end, bytes.data, bytes.size);
    }
    return end + bytes.size;
}

void body_write(const struct attribute *attributes,
                uint32_t count,
                struct bytes text,
                uint8_t *buffer)
{
    CHECK(count <= ATTRIBUTES_MAX);

    uint8_t *end = buffer;
    *end++ = BODY_VERSION;
    *end++ = (uint8_t) count;
    for (uint32_t i = 0; i < count; i++) {
        CHECK(attributes[i].name.size >= 1);
        CHECK(attributes[i].name.size <= NAME_BYTES_MAX);
        CHECK(attributes[i].value.size <= ATTRIBUTE_VALUE_BYTES_MAX);
        *end++ = (uint8_t) attributes[i].name.size;
        end = put(end, attributes[i].name);
        *end++ = (uint8_t) (attributes[i].value.size & 0xffu);
        *end++ = (uint8_t) (attributes[i].value.size >> 8);
        end = put(end, attributes[i].value);
    }
    put(end, text);
}

/* Cuts `size` bytes off the front of *rest; false: there are fewer. */
static bool cut(struct bytes *rest, uint32_t size, struct bytes *front)
{
    if (rest->size < size) {
        return false;
    }
    *front = (struct bytes){.data = rest->data, .size = size};
    *rest = (struct bytes){.data = rest->data + size, .size = rest->size - size};
    return true;
}

static bool cut_attribute(struct bytes *rest, struct attribute *attribute)
{
    struct bytes size;
    if (!cut(rest, 1, &size) || size.data[0] == 0 || size.data[0] > NAME_BYTES_MAX ||
        !cut(rest, size.data[0], &attribute->name) || !cut(rest, 2, &size)) {
        return false;
    }
    uint32_t value_bytes = size.data[0] | (uint32_t) size.data[1] << 8;
    return value_bytes <= ATTRIBUTE_VALUE_BYTES_MAX && cut(rest, value_bytes, &attribute->value);
}

vt_err body_read(struct bytes blob, struct body *body)
{
    struct bytes rest = blob;
    struct bytes head;
    if (blob.size > BODY_BYTES_MAX || !cut(&rest, 2, &head) || head.data[0] != BODY_VERSION ||
        head.data[1] > ATTRIBUTES_MAX) {
        return VT_CORRUPT;
    }

    struct body found = {.attribute_count = head.data[1]};
    for (uint32_t i = 0; i < found.attribute_count; i++) {
        if (!cut_attribute(&rest, &found.attributes[i])) {
            return VT_CORRUPT;
        }
        if (i > 0 && bytes_compare(found.attributes[i - 1].name, found.attributes[i].name) >= 0) {
            return VT_CORRUPT;
        }
    }
    found.text = rest;
    *body = found;
    return VT_OK;
}
