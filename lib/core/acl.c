#include "acl.h"

#include <stdlib.h>
#include <string.h>

#include "core/acl_match.h"
#include "core/options.h"

/* A name that is listed; its kind says which part of it is meant. */
struct entry {
	uint32_t client;
	enum lbp_name_kind kind; /* of serials always LBP_NAME_ISSUED */
	struct lbp_issued issued;
	const char *text; /* of an id, URI or DNS name */
};

struct lbp_acl {
	struct entry *entries; /* by kind, and then by name */
	size_t entry_len;
	char *texts;                  /* of entries, one after the other */
	struct lbp_acl_grant *grants; /* by application, and then by client */
	size_t *ends;                 /* by application: where its grants end */
	uint32_t client_len;
	uint32_t app_len;
};

static bool is_canonical(const struct lbp_serial *serial)
{
	return serial->len >= 1 && serial->len <= LBP_SERIAL_MAX &&
	       serial->octets[0] != 0;
}

static enum lbp_err make_serial(
	struct entry *entry, const struct lbp_serial *serial, uint64_t issuer)
{
	entry->kind = LBP_NAME_ISSUED;
	entry->issued = (struct lbp_issued){*serial, issuer};
	return is_canonical(serial) ? LBP_OK : LBP_ERR_NAME_SERIAL;
}

static enum lbp_err make_text(struct entry *entry, const char *text)
{
	entry->text = text;
	if (text == NULL)
		return LBP_ERR_NULL;
	return entry->kind == LBP_NAME_DNS && strchr(text, '*') != NULL
		       ? LBP_ERR_NAME_WILDCARD
		       : LBP_OK;
}

/* What a name would be in the list, or why it can't be there. */
static enum lbp_err make_entry(struct entry *entry, const struct lbp_name *name)
{
	*entry = (struct entry){.kind = name->kind};
	switch (name->kind) {
	case LBP_NAME_SERIAL:
		return make_serial(entry, &name->serial, 0);
	case LBP_NAME_ISSUED:
		return make_serial(
			entry, &name->issued.serial, name->issued.issuer);
	case LBP_NAME_ID:
		return make_text(entry, name->id);
	case LBP_NAME_URI:
	case LBP_NAME_DNS:
		return make_text(entry, name->text);
	default:
		return LBP_ERR_NAME_KIND;
	}
}

static unsigned char lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* As strcmp, but for the case of letters, and in any locale. */
static int compare_dns(const char *a, const char *b)
{
	while (*a != '\0' && lower(*a) == lower(*b)) {
		a++;
		b++;
	}
	return lower(*a) - lower(*b);
}

static int compare_issued(
	const struct lbp_issued *a, const struct lbp_issued *b)
{
	int order = lbp_serial_compare(&a->serial, &b->serial);

	return order != 0 ? order
			  : (a->issuer > b->issuer) - (a->issuer < b->issuer);
}

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a;
	const struct entry *y = b;

	if (x->kind != y->kind)
		return (int)x->kind - (int)y->kind;
	switch (x->kind) {
	case LBP_NAME_ISSUED:
		return compare_issued(&x->issued, &y->issued);
	case LBP_NAME_DNS:
		return compare_dns(x->text, y->text);
	default:
		return strcmp(x->text, y->text);
	}
}

static int compare_clients(const void *a, const void *b)
{
	uint32_t x = ((const struct lbp_acl_grant *)a)->client;
	uint32_t y = ((const struct lbp_acl_grant *)b)->client;

	return (x > y) - (x < y);
}

/* calloc refuses a product that overflows, and may refuse to give nothing. */
static void *allocate(size_t len, size_t size)
{
	return calloc(len > 0 ? len : 1, size);
}

static size_t text_size(const struct entry *entry)
{
	return entry->text != NULL ? strlen(entry->text) + 1 : 0;
}

static enum lbp_err list_names(
	struct lbp_acl *acl, const struct lbp_acl_name *names, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		enum lbp_err err = make_entry(&acl->entries[i], &names[i].name);

		if (err != LBP_OK)
			return err;
		if (names[i].client >= acl->client_len)
			return LBP_ERR_CLIENT_NUMBER;
		acl->entries[i].client = names[i].client;
	}
	acl->entry_len = len;
	return LBP_OK;
}

static enum lbp_err copy_texts(struct lbp_acl *acl)
{
	size_t size = 0;
	char *next;

	for (size_t i = 0; i < acl->entry_len; i++)
		size += text_size(&acl->entries[i]);
	next = acl->texts = allocate(size, 1);
	if (next == NULL)
		return LBP_ERR_NOMEM;
	for (size_t i = 0; i < acl->entry_len; i++) {
		struct entry *entry = &acl->entries[i];

		size = text_size(entry);
		if (size == 0)
			continue;
		entry->text = memcpy(next, entry->text, size);
		next += size;
	}
	return LBP_OK;
}

static enum lbp_err fill_names(
	struct lbp_acl *acl, const struct lbp_acl_name *names, size_t len)
{
	enum lbp_err err = list_names(acl, names, len);

	if (err == LBP_OK)
		err = copy_texts(acl);
	if (err != LBP_OK)
		return err;
	qsort(acl->entries, len, sizeof(*acl->entries), compare_entries);
	for (size_t i = 1; i < len; i++) {
		if (compare_entries(&acl->entries[i - 1], &acl->entries[i]) ==
			0)
			return LBP_ERR_NAME_TWICE;
	}
	return LBP_OK;
}

static enum lbp_err judge_grant(
	const struct lbp_acl *acl, const struct lbp_acl_grant *grant)
{
	if (grant->client >= acl->client_len)
		return LBP_ERR_CLIENT_NUMBER;
	if (grant->app >= acl->app_len)
		return LBP_ERR_APP_NUMBER;
	return grant->limits.connections > 0 && grant->limits.window_ns == 0
		       ? LBP_ERR_WINDOW
		       : LBP_OK;
}

/* Where the grants of each application will start, while none is there. */
static enum lbp_err count_grants(
	struct lbp_acl *acl, const struct lbp_acl_grant *grants, size_t len)
{
	size_t start = 0;

	for (size_t i = 0; i < len; i++) {
		enum lbp_err err = judge_grant(acl, &grants[i]);

		if (err != LBP_OK)
			return err;
		acl->ends[grants[i].app]++;
	}
	for (uint32_t a = 0; a < acl->app_len; a++) {
		size_t n = acl->ends[a];

		acl->ends[a] = start;
		start += n;
	}
	return LBP_OK;
}

/* The grants of an application that exists; how many goes to *len. */
static struct lbp_acl_grant *grants_of(
	const struct lbp_acl *acl, uint32_t app, size_t *len)
{
	size_t start = app == 0 ? 0 : acl->ends[app - 1];

	*len = acl->ends[app] - start;
	return &acl->grants[start];
}

static enum lbp_err sort_grants(struct lbp_acl *acl, uint32_t app)
{
	size_t len;
	struct lbp_acl_grant *grants = grants_of(acl, app, &len);

	qsort(grants, len, sizeof(*grants), compare_clients);
	for (size_t i = 1; i < len; i++) {
		if (grants[i - 1].client == grants[i].client)
			return LBP_ERR_GRANT_TWICE;
	}
	return LBP_OK;
}

/* A counting sort by application, so that a million grants are no trouble. */
static enum lbp_err fill_grants(
	struct lbp_acl *acl, const struct lbp_acl_grant *grants, size_t len)
{
	enum lbp_err err = count_grants(acl, grants, len);

	if (err != LBP_OK)
		return err;
	for (size_t i = 0; i < len; i++)
		acl->grants[acl->ends[grants[i].app]++] = grants[i];
	for (uint32_t a = 0; err == LBP_OK && a < acl->app_len; a++)
		err = sort_grants(acl, a);
	return err;
}

static enum lbp_err fill(
	struct lbp_acl *acl, const struct lbp_acl_options *options)
{
	enum lbp_err err;

	acl->client_len = options->client_len;
	acl->app_len = options->app_len;
	acl->entries = allocate(options->name_len, sizeof(*acl->entries));
	acl->grants = allocate(options->grant_len, sizeof(*acl->grants));
	acl->ends = allocate(options->app_len, sizeof(*acl->ends));
	if (acl->entries == NULL || acl->grants == NULL || acl->ends == NULL)
		return LBP_ERR_NOMEM;
	err = fill_names(acl, options->names, options->name_len);
	if (err != LBP_OK)
		return err;
	return fill_grants(acl, options->grants, options->grant_len);
}

/* The caller's options over the defaults, if they can be made sense of. */
static enum lbp_err read_options(
	struct lbp_acl_options *own, const struct lbp_acl_options *options)
{
	enum lbp_err err;

	lbp_acl_options_init(own);
	err = lbp_options_copy(own, sizeof(*own), options);
	if (err != LBP_OK)
		return err;
	if ((own->names == NULL && own->name_len > 0) ||
		(own->grants == NULL && own->grant_len > 0))
		return LBP_ERR_NULL;
	return LBP_OK;
}

enum lbp_err lbp_acl_new(
	struct lbp_acl **out, const struct lbp_acl_options *options)
{
	struct lbp_acl_options own;
	struct lbp_acl *acl;
	enum lbp_err err;

	if (out == NULL)
		return LBP_ERR_NULL;
	*out = NULL;
	err = read_options(&own, options);
	if (err != LBP_OK)
		return err;
	acl = calloc(1, sizeof(*acl));
	if (acl == NULL)
		return LBP_ERR_NOMEM;
	err = fill(acl, &own);
	if (err != LBP_OK) {
		lbp_acl_free(acl);
		return err;
	}
	*out = acl;
	return LBP_OK;
}

void lbp_acl_free(struct lbp_acl *acl)
{
	if (acl == NULL)
		return;
	free(acl->entries);
	free(acl->texts);
	free(acl->grants);
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
	if (make_entry(&key, name) != LBP_OK)
		return LBP_NONE;
	found = bsearch(&key, acl->entries, acl->entry_len, sizeof(key),
		compare_entries);
	return found != NULL ? found->client : LBP_NONE;
}

enum lbp_err lbp_acl_match(const struct lbp_acl *acl,
	const struct lbp_name *names, size_t name_len, struct lbp_match *match)
{
	struct lbp_match found = {.client = LBP_NONE};

	if (acl == NULL || (names == NULL && name_len > 0))
		return LBP_ERR_NULL;
	for (size_t i = 0; i < name_len; i++) {
		uint32_t owner = find(acl, &names[i]);

		if (owner == LBP_NONE || owner == found.client)
			continue;
		if (found.client != LBP_NONE)
			return LBP_ERR_AMBIGUOUS;
		found = (struct lbp_match){owner, &names[i]};
	}
	if (found.client == LBP_NONE)
		return LBP_ERR_UNKNOWN_CLIENT;
	*match = found;
	return LBP_OK;
}

enum lbp_err lbp_acl_identify(const struct lbp_acl *acl,
	const struct lbp_name *names, size_t name_len, uint32_t *client)
{
	struct lbp_match match;
	enum lbp_err err;

	if (client == NULL)
		return LBP_ERR_NULL;
	err = lbp_acl_match(acl, names, name_len, &match);
	if (err == LBP_OK)
		*client = match.client;
	return err;
}

const struct lbp_acl_grant *lbp_acl_grants(
	const struct lbp_acl *acl, uint32_t app, size_t *len)
{
	*len = 0;
	return app < acl->app_len ? grants_of(acl, app, len) : NULL;
}

enum lbp_err lbp_acl_authorize(
	const struct lbp_acl *acl, uint32_t client, uint32_t app)
{
	const struct lbp_acl_grant key = {.client = client};
	const struct lbp_acl_grant *grants;
	size_t len;

	if (acl == NULL)
		return LBP_ERR_NULL;
	grants = lbp_acl_grants(acl, app, &len);
	if (grants == NULL || bsearch(&key, grants, len, sizeof(key),
				      compare_clients) == NULL)
		return LBP_ERR_NOT_ALLOWED;
	return LBP_OK;
}
