#include "server/sans.h"

#include <string.h>

#include "server/config_value.h"

/* The scheme's case means nothing, to whoever reads URIs by the rules. */
static bool is_spiffe(const char *text, size_t len)
{
	static const char scheme[] = "spiffe:";
	size_t i = 0;

	while (i < len && scheme[i] != '\0' &&
		lbp_config_lower(text[i]) == lbp_config_lower(scheme[i]))
		i++;
	return scheme[i] == '\0';
}

/* One URI of SPIFFE is alone, be the others what they will. */
static void count_uri(struct lbp_sans *sans, const char *text, size_t len)
{
	bool spiffe = is_spiffe(text, len);

	if (sans->has_uri && (spiffe || sans->has_spiffe))
		sans->has_both = true;
	sans->has_uri = true;
	sans->has_spiffe = spiffe;
}

bool lbp_sans_take(struct lbp_sans *sans, enum lbp_name_kind kind,
	const char *text, size_t len)
{
	const char *wrong;

	if (kind == LBP_NAME_URI) {
		count_uri(sans, text, len);
		wrong = lbp_config_check_uri(text, len);
	} else {
		wrong = lbp_config_check_dns(text, len);
	}
	if (wrong != NULL || sans->len > LBP_SANS_MAX)
		return false;
	sans->len++;
	sans->size += len + 1;
	return true;
}

bool lbp_sans_are_fine(const struct lbp_sans *sans)
{
	return !sans->has_both && sans->len <= LBP_SANS_MAX;
}
