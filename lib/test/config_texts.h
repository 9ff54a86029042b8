/* Texts of configurations, and what must come of them. */
#ifndef LBP_TEST_CONFIG_TEXTS_H
#define LBP_TEST_CONFIG_TEXTS_H

#include <stddef.h>
#include <stdint.h>

struct lbp_config;

/* What every valid configuration needs. */
#define TLS                                                                    \
	"[tls]\ncertificate = \"c\"\nprivate_key = \"k\"\nclient_ca = \"a\"\n"
#define APP                                                                    \
	"[[app]]\nid = \"e\"\nlisten = [\"h:1\"]\n[[app.upstream]]\n"          \
	"url = \"tcp://h:1\"\n"

/* The example of the outer contract, as it stands. */
extern const char config_contract[];

/* A text that grows; whoever has it frees ptr. */
struct text {
	char *ptr;
	size_t len;
	size_t cap;
};

/* Ends the program when it runs out of memory. */
__attribute__((format(printf, 2, 3))) void text_add(
	struct text *text, const char *format, ...);

/* The configuration of a text that must be valid, else NULL. */
struct lbp_config *config_of_text(const char *text, size_t len);
struct lbp_config *config_of(const char *text);

/* A text must give exactly this error; message may be its beginning. */
void config_has_error(const char *text, size_t len, uint32_t line,
	uint32_t column, const char *message);

#endif
