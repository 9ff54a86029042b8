#include "acl.h"

#include <stdlib.h>
#include <string.h>

/* A name that is listed; its kind says which part of it is meant. */
struct entry {
	uint32_t client;
	enum lbp_name_kind kind;
	struct lbp_serial serial;
	const char *id;
};

struct lbp_acl {
	struct entry *entries; /* by kind, and then by name */
	size_t entry_len;
	char *ids;      /* the texts of entries, one after the other */
	uint32_t *apps; /* granted ones: by client, and then by number */
	size_t *ends;   /* by client: where its applications end in apps */
	uint32_t client_len;
};

static bool is_canonical(const struct lbp_serial *serial)
{
	return serial->len >= 1 && serial->len <= LBP_SERIAL_MAX &&
	       serial->octets[0] != 0;
}

/* What a name would be in the list; false if it can't be there. */
static bool make_entry(struct entry *entry, const struct lbp_name *name)
{
	*entry = (struct entry){.kind = name->kind};
	switch (name->kind) {
	case LBP_NAME_SERIAL:
		entry->serial = name->serial;
		return is_canonical(&name->serial);
	case LBP_NAME_ID:
		entry->id = name->id;
		return name->id != NULL;
	default:
		return false;
	}
}

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a;
	const struct entry *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return x->kind == LBP_NAME_SERIAL
		       ? lbp_serial_compare(&x->serial, &y->serial)
		       : strcmp(x->id, y->id);
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

static size_t id_size(const struct entry *entry)
{
	return entry->kind == LBP_NAME_ID ? strlen(entry->id) + 1 : 0;
}

static enum lbp_err list_names(
	struct lbp_acl *acl, const struct lbp_acl_name *names, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (names[i].client >= acl->client_len ||
			!make_entry(&acl->entries[i], &names[i].name))
			return LBP_ERR_RANGE;
		acl->entries[i].client = names[i].client;
	}
	acl->entry_len = len;
	return LBP_OK;
}

static enum lbp_err copy_ids(struct lbp_acl *acl)
{
	size_t size = 0;
	char *next;

	for (size_t i = 0; i < acl->entry_len; i++)
		size += id_size(&acl->entries[i]);
	next = acl->ids = allocate(size, 1);
	if (next == NULL)
		return LBP_ERR_NOMEM;
	for (size_t i = 0; i < acl->entry_len; i++) {
		struct entry *entry = &acl->entries[i];

		size = id_size(entry);
		if (size == 0)
			continue;
		entry->id = memcpy(next, entry->id, size);
		next += size;
	}
	return LBP_OK;
}

static enum lbp_err fill_names(
	struct lbp_acl *acl, const struct lbp_acl_name *names, size_t len)
{
	enum lbp_err err = list_names(acl, names, len);

	if (err == LBP_OK)
		err = copy_ids(acl);
	if (err != LBP_OK)
		return err;
	qsort(acl->entries, len, sizeof(*acl->entries), compare_entries);
	for (size_t i = 1; i < len; i++) {
		if (compare_entries(&acl->entries[i - 1], &acl->entries[i]) ==
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

enum lbp_err lbp_acl_new(struct lbp_acl **out, const struct lbp_acl_name *names,
	size_t name_len, const struct lbp_acl_grant *grants, size_t grant_len,
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
	acl->entries = allocate(name_len, sizeof(*acl->entries));
	if (acl->apps == NULL || acl->ends == NULL || acl->entries == NULL)
		goto out;
	err = fill_names(acl, names, name_len);
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
	free(acl->entries);
	free(acl->ids);
	free(acl->apps);
	free(acl->ends);
	free(acl);
}

/* Whose name this is; LBP_NONE if nobody's. */
static uint32_t find(const struct lbp_acl *acl, const struct lbp_name *name)
{
	const struct entry *found;
	struct entry key;

	if (name->kind == LBP_NAME_NUMBER)
		return name->number < acl->client_len ? name->number : LBP_NONE;
	if (!make_entry(&key, name))
		return LBP_NONE;
	found = bsearch(&key, acl->entries, acl->entry_len, sizeof(key),
		compare_entries);
	return found != NULL ? found->client : LBP_NONE;
}

enum lbp_err lbp_acl_identify(const struct lbp_acl *acl,
	const struct lbp_name *names, size_t name_len, uint32_t *client)
{
	uint32_t found = LBP_NONE;

	for (size_t i = 0; names != NULL && i < name_len; i++) {
		uint32_t owner = find(acl, &names[i]);

		if (owner == LBP_NONE || owner == found)
			continue;
		if (found != LBP_NONE)
			return LBP_ERR_UNKNOWN_CLIENT;
		found = owner;
	}
	if (found == LBP_NONE)
		return LBP_ERR_UNKNOWN_CLIENT;
	*client = found;
	return LBP_OK;
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
