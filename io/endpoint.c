#include "io/endpoint.h"

#include <stdio.h>
#include <string.h>

#include "lib/check.h"

#define SCHEME "tcp://"

/* The colon before the port. */
static const char *port_colon(const char *address)
{
    const char *colon = strrchr(address, ':');
    CHECK(colon != NULL);
    return colon;
}

static bool host_is(const char *address, const char *host)
{
    size_t size = (size_t) (port_colon(address) - address);
    return strlen(host) == size && memcmp(address, host, size) == 0;
}

void endpoint_dial(const char *address, char endpoint[ENDPOINT_BYTES_MAX])
{
    const char *host = address[0] == ':' ? "127.0.0.1" : "";
    snprintf(endpoint, ENDPOINT_BYTES_MAX, SCHEME "%s%s", host, address);
}

void endpoint_listen(const char *address, char endpoint[ENDPOINT_BYTES_MAX])
{
    const char *colon = port_colon(address);
    const char *port = strcmp(colon + 1, "0") == 0 ? "*" : colon + 1;
    if (address[0] == ':') {
        snprintf(endpoint, ENDPOINT_BYTES_MAX, SCHEME "*:%s", port);
    } else if (host_is(address, "localhost")) {
        snprintf(endpoint, ENDPOINT_BYTES_MAX, SCHEME "127.0.0.1:%s", port);
    } else {
        snprintf(
            endpoint, ENDPOINT_BYTES_MAX, SCHEME "%.*s:%s", (int) (colon - address), address, port);
    }
}

bool endpoint_is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || host_is(address, "localhost") ||
           host_is(address, "[::1]");
}

bool endpoint_is_ipv6(const char *endpoint)
{
    return strchr(endpoint, '[') != NULL;
}

const char *endpoint_address(const char *endpoint)
{
    return strncmp(endpoint, SCHEME, strlen(SCHEME)) == 0 ? endpoint + strlen(SCHEME) : endpoint;
}
