#include "acl.h"

#include <stdlib.h>

struct lbp_acl {
	struct lbp_acl_serial *serials; /* in the order of the serials */
	size_t serial_len;
	uint32_t *apps; /* granted ones: by client, and then by number */
	size_t *ends;   /* by client: where its applications end in apps */
	uint32_t client_len;
};

static int compare_serials(const void *a, const void *b)
{
	const struct lbp_acl_serial *x = a;
	const struct lbp_acl_serial *y = b;

	return lbp_serial_compare(&x->serial, &y->serial);
}

static int compare_apps(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* The applications granted to a client; how many goes to *len. */
static uint32_t *apps_of(
	const struct lbp_acl *acl, uint32_t client, size_t *len)
{
	size_t start = client == 0 ? 0 : acl->ends[client - 1];

	*len = acl->ends[client] - start;
	return &acl->apps[start];
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

/* A counting sort by client, so that a million grants are no trouble. */
static enum lbp_err fill_grants(struct lbp_acl *acl,
	const struct lbp_acl_grant *grants, size_t len, uint32_t app_len)
{
	size_t start = 0;

	for (size_t i = 0; i < len; i++) {
		if (grants[i].client >= acl->client_len ||
			grants[i].app >= app_len)
			return LBP_ERR_RANGE;
		acl->ends[grants[i].client]++;
	}
	for (uint32_t c = 0; c < acl->client_len; c++) {
		size_t n = acl->ends[c];

		acl->ends[c] = start;
		start += n;
	}
	for (size_t i = 0; i < len; i++)
		acl->apps[acl->ends[grants[i].client]++] = grants[i].app;
	for (uint32_t c = 0; c < acl->client_len; c++) {
		size_t n;
		uint32_t *apps = apps_of(acl, c, &n);

		qsort(apps, n, sizeof(*apps), compare_apps);
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
	acl->apps = allocate(grant_len, sizeof(*acl->apps));
	acl->ends = allocate(client_len, sizeof(*acl->ends));
	acl->serials = allocate(serial_len, sizeof(*acl->serials));
	if (acl->apps == NULL || acl->ends == NULL || acl->serials == NULL)
		goto out;
	err = fill_serials(acl, serials, serial_len);
	if (err != LBP_OK)
		goto out;
	err = fill_grants(acl, grants, grant_len, app_len);
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
	free(acl->apps);
	free(acl->ends);
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
	const uint32_t *apps;
	size_t len;

	if (client >= acl->client_len)
		return LBP_ERR_NOT_ALLOWED;
	apps = apps_of(acl, client, &len);
	return bsearch(&app, apps, len, sizeof(app), compare_apps) != NULL
		       ? LBP_OK
		       : LBP_ERR_NOT_ALLOWED;
}
