/*
 * What a fuzz target or a model checks goes through ORACLE, which names the
 * requirement of SPEC.md that would be broken. In builds with ORACLE_COUNT it
 * also counts how often each requirement is evaluated.
 */
#ifndef LBP_FUZZ_ORACLE_H
#define LBP_FUZZ_ORACLE_H

/* One ORACLE in the source; private to the macro and oracle.c. */
struct oracle_site {
	const char *id;
	unsigned long count;
	struct oracle_site *next;
};

/* Counts one evaluation, and at the first one links the site. */
void oracle_hit(struct oracle_site *site);

/* Prints "[id] file:line: text" to stderr and aborts. */
__attribute__((noreturn, format(printf, 4, 5))) void oracle_fail(
	const char *id, const char *file, int line, const char *format, ...);

/*
 * Appends a line "ID count" for each requirement evaluated so far to the file
 * that the environment variable LBP_ORACLE_COUNTS names; without it, nothing.
 * Returns 0, or -1 if the file could not be written.
 */
int oracle_write_counts(void);

#ifdef ORACLE_COUNT
#define ORACLE_HIT(id)                                                         \
	do {                                                                   \
		static struct oracle_site oracle_site_ = {id, 0, 0};           \
		oracle_hit(&oracle_site_);                                     \
	} while (0)
#else
#define ORACLE_HIT(id)                                                         \
	do {                                                                   \
	} while (0)
#endif

/* ORACLE("BAL-1", condition, "upstream %u", i): aborts if it is false. */
#define ORACLE(id, condition, ...)                                             \
	do {                                                                   \
		ORACLE_HIT(id);                                                \
		if (!(condition))                                              \
			oracle_fail(id, __FILE__, __LINE__, __VA_ARGS__);      \
	} while (0)

#endif
