/*
 * An application and its model side by side: what is done to the one is done
 * to the other, and every result and count is compared.
 */
#ifndef LBP_TWIN_APP_H
#define LBP_TWIN_APP_H

#include "app.h"
#include "bytes.h"
#include "model_app.h"

struct twin_app {
	struct lbp_acl *acl;
	struct lbp_app *app;
	struct model_app model;
	struct model_app_config config; /* of the last reload */
	uint32_t reloads;
	/* Prepared, and not committed. */
	struct lbp_acl *next_acl;
	struct lbp_app *next;
	uint64_t prepared_ns;
};

/*
 * What a byte says of the bound of an upstream, from 0x80 on, and whether it is
 * a backup, from 0xc0 on: mostly no bound, and no backup.
 */
uint32_t twin_app_bound(uint8_t byte);
bool twin_app_backup(uint8_t byte);

/*
 * Draws an application: its health options, upstreams, clients and serials
 * (bytes). Client 0 is granted and listed last, and client i has serial i + 1,
 * further serials belong to client 0; 0xff is nobody's.
 */
void twin_app_draw(struct twin_app *twin, struct bytes *bytes);

/* Makes the application that was drawn. */
void twin_app_make(struct twin_app *twin, uint64_t now_ns);

/*
 * Draws the configuration of a reload into twin->config: any upstreams of all
 * the names, any limits, and who may come in with which serial.
 */
void twin_app_draw_config(struct twin_app *twin, struct bytes *bytes);

/* One in which all upstreams and the first owners of all serials are there. */
void twin_app_open_config(struct twin_app *twin);

/*
 * Reloads both with twin->config, at once or in two steps; between them both
 * are used as they were.
 */
void twin_app_reload(struct twin_app *twin, uint64_t now_ns);
void twin_app_prepare(struct twin_app *twin, uint64_t now_ns);
void twin_app_commit(struct twin_app *twin);

/* Retires both. */
void twin_app_retire(struct twin_app *twin);
void twin_app_free(struct twin_app *twin);

/* The serial with this one octet, as a name. */
struct lbp_name twin_name(uint8_t octet);

/* Compares what can be seen of the application with the model. */
void twin_app_check(const struct twin_app *twin);

/* Takes a due check at now_ns in both; LBP_NONE if none is due. */
uint32_t twin_app_take(struct twin_app *twin, uint64_t now_ns);

/* Answers a check in both. */
void twin_app_checked(struct twin_app *twin, uint32_t upstream, bool ok);

/* Gives a check up in both, as one that could not be carried out. */
void twin_app_set_address(
	struct twin_app *twin, uint32_t upstream, bool has_address);
void twin_app_check_dropped(struct twin_app *twin, uint32_t upstream);

/* Drains an upstream, or ends that, in both. */
void twin_app_set_draining(
	struct twin_app *twin, uint32_t upstream, bool draining);

/* Nothing is open any more: no connection and no place of any client. */
void twin_app_check_empty(struct twin_app *twin);

#endif
