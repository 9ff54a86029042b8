#include "acl.h"

#include <stdlib.h>

struct lbp_acl {
	struct lbp_acl_serial *serials; /* in the order of the serials */
	size_t serial_len;
	uint8_t *grants; /* a row for each client, a bit for each application */
	size_t row_bytes;
	uint32_t client_len;
	uint32_t app_len;
};

static int compare_serials(const void *a, const void *b)
{
	const struct lbp_acl_serial *x = a;
	const struct lbp_acl_serial *y = b;

	return lbp_serial_compare(&x->serial, &y->serial);
}

/* The octet that has the bit of a client and an application. */
static uint8_t *grant_of(
	const struct lbp_acl *acl, uint32_t client, uint32_t app)
{
	return &acl->grants[client * acl->row_bytes + app / 8];
}

/* calloc refuses a product that overflows, and may refuse to give nothing. */
static void *allocate(size_t len, size_t size)
{
	return calloc(len > 0 ? len : 1, size);
}

static enum lbp_err fill_serials(struct lbp_acl *acl,
	const struct lbp_acl_serial *serials, size_t serial_len)
{
	for (size_t i = 0; i < serial_len; i++) {
		if (serials[i].client >= acl->client_len)
			return LBP_ERR_RANGE;
		acl->serials[i] = serials[i];
	}
	acl->serial_len = serial_len;
	qsort(acl->serials, serial_len, sizeof(*acl->serials), compare_serials);
	for (size_t i = 1; i < serial_len; i++) {
		if (compare_serials(&acl->serials[i - 1], &acl->serials[i]) ==
			0)
			return LBP_ERR_RANGE;
	}
	return LBP_OK;
}

static enum lbp_err fill_grants(
	struct lbp_acl *acl, const struct lbp_acl_grant *grants, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		uint32_t client = grants[i].client;
		uint32_t app = grants[i].app;

		if (client >= acl->client_len || app >= acl->app_len)
			return LBP_ERR_RANGE;
		*grant_of(acl, client, app) |= (uint8_t)(1u << app % 8);
	}
	return LBP_OK;
}

enum lbp_err lbp_acl_new(struct lbp_acl **out,
	const struct lbp_acl_serial *serials, size_t serial_len,
	const struct lbp_acl_grant *grants, size_t grant_len,
	uint32_t client_len, uint32_t app_len)
{
	struct lbp_acl *acl = calloc(1, sizeof(*acl));
	enum lbp_err err = LBP_ERR_NOMEM;

	*out = NULL;
	if (acl == NULL)
		goto out;
	acl->client_len = client_len;
	acl->app_len = app_len;
	acl->row_bytes = app_len / 8 + 1;
	acl->grants = allocate(client_len, acl->row_bytes);
	acl->serials = allocate(serial_len, sizeof(*acl->serials));
	if (acl->grants == NULL || acl->serials == NULL)
		goto out;
	err = fill_serials(acl, serials, serial_len);
	if (err != LBP_OK)
		goto out;
	err = fill_grants(acl, grants, grant_len);
	if (err != LBP_OK)
		goto out;
	*out = acl;
	acl = NULL;
out:
	lbp_acl_free(acl);
	return err;
}

void lbp_acl_free(struct lbp_acl *acl)
{
	if (acl == NULL)
		return;
	free(acl->serials);
	free(acl->grants);
	free(acl);
}

enum lbp_err lbp_acl_identify(const struct lbp_acl *acl,
	const struct lbp_serial *serial, uint32_t *client)
{
	size_t low = 0;
	size_t high = acl->serial_len;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct lbp_acl_serial *entry = &acl->serials[mid];
		int order = lbp_serial_compare(serial, &entry->serial);

		if (order == 0) {
			*client = entry->client;
			return LBP_OK;
		}
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return LBP_ERR_UNKNOWN_CLIENT;
}

enum lbp_err lbp_acl_authorize(
	const struct lbp_acl *acl, uint32_t client, uint32_t app)
{
	if (client >= acl->client_len || app >= acl->app_len)
		return LBP_ERR_NOT_ALLOWED;
	return (*grant_of(acl, client, app) >> app % 8 & 1) != 0
		       ? LBP_OK
		       : LBP_ERR_NOT_ALLOWED;
}
