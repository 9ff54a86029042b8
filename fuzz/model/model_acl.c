#include "model_acl.h"

static bool is_equal(const struct lbp_serial *a, const struct lbp_serial *b)
{
	if (a->len != b->len)
		return false;
	for (size_t i = 0; i < a->len; i++) {
		if (a->octets[i] != b->octets[i])
			return false;
	}
	return true;
}

static size_t listed(
	const struct model_acl *model, const struct lbp_serial *serial)
{
	size_t count = 0;

	for (size_t i = 0; i < model->serial_len; i++)
		count += is_equal(serial, &model->serials[i].serial);
	return count;
}

enum lbp_err model_acl_judge(const struct model_acl *model)
{
	for (size_t i = 0; i < model->serial_len; i++) {
		if (model->serials[i].client >= model->client_len ||
			listed(model, &model->serials[i].serial) > 1)
			return LBP_ERR_RANGE;
	}
	for (size_t i = 0; i < model->grant_len; i++) {
		if (model->grants[i].client >= model->client_len ||
			model->grants[i].app >= model->app_len)
			return LBP_ERR_RANGE;
	}
	return LBP_OK;
}

enum lbp_err model_acl_identify(const struct model_acl *model,
	const struct lbp_serial *serial, uint32_t *client)
{
	for (size_t i = 0; i < model->serial_len; i++) {
		if (is_equal(serial, &model->serials[i].serial)) {
			*client = model->serials[i].client;
			return LBP_OK;
		}
	}
	return LBP_ERR_UNKNOWN_CLIENT;
}

enum lbp_err model_acl_authorize(
	const struct model_acl *model, uint32_t client, uint32_t app)
{
	for (size_t i = 0; i < model->grant_len; i++) {
		if (model->grants[i].client == client &&
			model->grants[i].app == app)
			return LBP_OK;
	}
	return LBP_ERR_NOT_ALLOWED;
}
