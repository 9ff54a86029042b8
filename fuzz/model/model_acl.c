#include "model_acl.h"

#include <string.h>
#include <strings.h>

static bool is_same_serial(
	const struct lbp_serial *a, const struct lbp_serial *b)
{
	if (a->len != b->len)
		return false;
	for (size_t i = 0; i < a->len; i++) {
		if (a->octets[i] != b->octets[i])
			return false;
	}
	return true;
}

/* Of a serial without an issuer it is 0. */
static uint64_t issuer_of(const struct lbp_name *name)
{
	return name->kind == LBP_NAME_ISSUED ? name->issued.issuer : 0;
}

static bool is_serial(const struct lbp_name *name)
{
	return name->kind == LBP_NAME_SERIAL || name->kind == LBP_NAME_ISSUED;
}

static bool is_equal(const struct lbp_name *a, const struct lbp_name *b)
{
	/* Both are at the start of what there may be of a name. */
	if (is_serial(a) && is_serial(b))
		return issuer_of(a) == issuer_of(b) &&
		       is_same_serial(&a->serial, &b->serial);
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case LBP_NAME_ID:
		return strcmp(a->id, b->id) == 0;
	case LBP_NAME_URI:
		return strcmp(a->text, b->text) == 0;
	default:
		return strcasecmp(a->text, b->text) == 0 &&
		       strchr(a->text, '*') == NULL;
	}
}

static size_t listed(const struct model_acl *model, const struct lbp_name *name)
{
	size_t count = 0;

	for (size_t i = 0; i < model->name_len; i++)
		count += is_equal(name, &model->names[i].name);
	return count;
}

static size_t granted(
	const struct model_acl *model, uint32_t client, uint32_t app)
{
	size_t count = 0;

	for (size_t i = 0; i < model->grant_len; i++)
		count += model->grants[i].client == client &&
			 model->grants[i].app == app;
	return count;
}

enum lbp_err model_acl_judge(const struct model_acl *model)
{
	size_t i;

	for (i = 0; i < model->name_len; i++) {
		if (model->names[i].client >= model->client_len)
			return LBP_ERR_CLIENT_NUMBER;
	}
	for (i = 0; i < model->name_len; i++) {
		if (listed(model, &model->names[i].name) > 1)
			return LBP_ERR_NAME_TWICE;
	}
	for (i = 0; i < model->grant_len; i++) {
		if (model->grants[i].client >= model->client_len)
			return LBP_ERR_CLIENT_NUMBER;
		if (model->grants[i].app >= model->app_len)
			return LBP_ERR_APP_NUMBER;
	}
	for (i = 0; i < model->grant_len; i++) {
		if (granted(model, model->grants[i].client,
			    model->grants[i].app) > 1)
			return LBP_ERR_GRANT_TWICE;
	}
	return LBP_OK;
}

static bool has_name(const struct model_acl *model, uint32_t client,
	const struct lbp_name *name)
{
	if (name->kind == LBP_NAME_NUMBER)
		return name->number == client;
	for (size_t i = 0; i < model->name_len; i++) {
		if (model->names[i].client == client &&
			is_equal(name, &model->names[i].name))
			return true;
	}
	return false;
}

enum lbp_err model_acl_identify(const struct model_acl *model,
	const struct lbp_name *names, size_t len, uint32_t *client)
{
	uint32_t owners = 0;
	uint32_t owner = LBP_NONE;

	for (uint32_t c = 0; c < model->client_len; c++) {
		bool has_any = false;

		for (size_t i = 0; i < len; i++)
			has_any = has_any || has_name(model, c, &names[i]);
		owners += has_any;
		owner = has_any ? c : owner;
	}
	if (owners != 1)
		return owners == 0 ? LBP_ERR_UNKNOWN_CLIENT : LBP_ERR_AMBIGUOUS;
	*client = owner;
	return LBP_OK;
}

enum lbp_err model_acl_authorize(
	const struct model_acl *model, uint32_t client, uint32_t app)
{
	return granted(model, client, app) > 0 ? LBP_OK : LBP_ERR_NOT_ALLOWED;
}
