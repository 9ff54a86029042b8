/* The errors that a configuration must give, checked with CUnit. */
#ifndef LBP_TEST_CONFIG_EXPECT_H
#define LBP_TEST_CONFIG_EXPECT_H

#include <stddef.h>
#include <stdint.h>

struct want {
	uint32_t line;
	uint32_t column;
	const char *message;
};

/* A text must give these errors, in this order, and no other. */
void config_expect(const char *text, const struct want *wanted, size_t len);

#endif
