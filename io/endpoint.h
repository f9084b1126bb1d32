#ifndef IO_ENDPOINT_H
#define IO_ENDPOINT_H

/* Addresses as people write them (HOST:PORT, [V6]:PORT, :PORT; lib/options has checked the form)
 * made into what ZeroMQ takes.
 */

#include <stdbool.h>

#define ENDPOINT_BYTES_MAX 320u

/* To connect to: "tcp://HOST:PORT"; without a host it is this machine. */
void endpoint_dial(const char *address, char endpoint[ENDPOINT_BYTES_MAX]);

/* To listen on: port 0 is any free one, no host is every address of this machine. */
void endpoint_listen(const char *address, char endpoint[ENDPOINT_BYTES_MAX]);

/* True when only programs of this machine can reach a listener there. */
bool endpoint_is_loopback(const char *address);

/* Whether the host is written as [V6]: ZeroMQ has to be told. */
bool endpoint_is_ipv6(const char *endpoint);

/* "tcp://127.0.0.1:7441" is "127.0.0.1:7441": what is shown to people. A view into `endpoint`. */
const char *endpoint_address(const char *endpoint);

#endif
