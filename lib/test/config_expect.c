#include "config_expect.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "server/config.h"

void config_expect(const char *text, const struct want *wanted, size_t len)
{
	struct lbp_config_errors errors;
	struct lbp_config *config;

	CU_ASSERT_EQUAL(lbp_config_parse(text, strlen(text), &config, &errors),
		LBP_ERR_SYNTAX);
	CU_ASSERT_PTR_NULL(config);
	CU_ASSERT_EQUAL(errors.len, len);
	for (size_t i = 0; i < len && i < errors.len; i++) {
		const struct lbp_config_error *error = &errors.items[i];

		CU_ASSERT_EQUAL(error->pos.line, wanted[i].line);
		CU_ASSERT_EQUAL(error->pos.column, wanted[i].column);
		CU_ASSERT_STRING_EQUAL(error->message, wanted[i].message);
		if (strcmp(error->message, wanted[i].message) != 0)
			(void)printf("\n%s\n", error->message);
	}
	lbp_config_errors_release(&errors);
}
