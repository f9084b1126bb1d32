#ifndef CLI_DEMO_H
#define CLI_DEMO_H

/* `ventanilla demo`: a whole cluster in this process, a city's plan, real tickets replayed through
 * a real socket to simulated agents, a report, and a proof read from the store.
 */

/* argv[0] is the command's name. Returns the program's exit code: 6 when the proof does not hold.
 */
int demo_run(int argc, char **argv);

#endif
