/*
 * What a process inherits from its parent: descriptors, signals and processors.
 * [SRV-55] to [SRV-59].
 */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Opens /dev/null on those of the descriptors 0 to 2 that are closed. To be
 * called before anything is opened. False with errno set: one is still closed.
 * [SRV-55].
 */
bool process_open_standard(void);

/*
 * Ignores the signals that must not end the server, and blocks SIGHUP until
 * process_handle_signals, whatever the process inherited. [SRV-56], [SRV-57].
 */
void process_ignore_signals(void);

/*
 * Calls handler for SIGTERM, SIGINT and SIGHUP from now on, whether they were
 * ignored or blocked before. [SRV-57].
 */
void process_handle_signals(void (*handler)(int number));

/*
 * Counts the open descriptors other than 0 to 2; to be called before the
 * program opens its own. [SRV-59].
 */
uint32_t process_inherited(void);

/*
 * Raises the soft limit to this many descriptors, as far as the hard one
 * allows, and never lowers it; a line warns if that is less. [SRV-31].
 */
void process_allow_descriptors(uint64_t needed);

/*
 * Counts the processors that this process may run on, by its affinity mask; at
 * least one. [SRV-58].
 */
uint32_t process_cpus(void);

struct lbp_process_figures;

/* What this process uses now; what cannot be found out is 0. */
void process_figures(struct lbp_process_figures *figures);

#endif
