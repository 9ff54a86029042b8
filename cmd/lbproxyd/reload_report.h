/* What the log says of reloads. [RLD-4], [RLD-5], [RLD-13], [RLD-15]. */
#ifndef RELOAD_REPORT_H
#define RELOAD_REPORT_H

#include "reload.h"

/* Logs a fault of a configuration, as snapshot_load says it. */
void reload_report_problem(
	const char *file, struct lbp_config_pos pos, const char *message);

/* Logs the warnings about a snapshot that apply now. [SRV-80]. */
void reload_report_notices(struct snapshot *snapshot);

/* Logs what of the snapshot just put in force needs a new start. */
void reload_report_fixed(const struct reload *reload);

/* Logs that all threads have turned to it, and what has changed. */
void reload_report_done(struct reload *reload);

/* Logs that nothing has changed; why was logged before. */
void reload_report_refused(const struct reload *reload);

#endif
