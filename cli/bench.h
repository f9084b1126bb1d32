#ifndef CLI_BENCH_H
#define CLI_BENCH_H

/* `ventanilla bench`: a load generator in its own process, over TCP. It measures a server that it
 * starts itself, or one that runs, and checks from the store's file that nothing was lost or done
 * twice.
 */

/* argv[0] is the command's name. Returns the program's exit code: 6 when something was lost or
 * doubled. */
int bench_run(int argc, char **argv);

#endif
