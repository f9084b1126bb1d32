#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

/* One function a command; main.c's table names them. Each returns the program's exit code. */

#include "cli/cli.h"

int serve_command(struct cli_arguments arguments);
int submit_command(struct cli_arguments arguments);
int ticket_command(struct cli_arguments arguments);
int status_command(struct cli_arguments arguments);
int version_command(struct cli_arguments arguments);

#endif
