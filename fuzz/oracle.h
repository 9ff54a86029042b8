/*
 * What a fuzz target or a model checks goes through ORACLE, which names the
 * requirement of SPEC.md that would be broken. In builds with ORACLE_COUNT it
 * also counts how often each place in the source is evaluated.
 */
#ifndef LBP_FUZZ_ORACLE_H
#define LBP_FUZZ_ORACLE_H

/* One ORACLE in the source; private to the macro and oracle.c. */
struct oracle_site {
	const char *id;
	const char *file;
	int line;
	unsigned long count;
};

/* Prints "[id] file:line: text" to stderr and aborts. */
__attribute__((noreturn, format(printf, 4, 5))) void oracle_fail(
	const char *id, const char *file, int line, const char *format, ...);

/*
 * Appends a line "ID FILE:LINE COUNT" for each ORACLE of the program, those
 * never evaluated included, to the file that the environment variable
 * LBP_ORACLE_COUNTS names; without it, nothing. Returns 0, or -1 if the file
 * could not be written.
 */
int oracle_write_counts(void);

/* The linker makes an array of a section: of pointers, which have no gaps. */
#ifdef ORACLE_COUNT
#define ORACLE_HIT(id)                                                         \
	do {                                                                   \
		static struct oracle_site oracle_site_ = {                     \
			id, __FILE__, __LINE__, 0};                            \
		__attribute__((section("oracle_sites"),                        \
			used)) static struct oracle_site *oracle_listed_ =     \
			&oracle_site_;                                         \
		oracle_listed_->count++;                                       \
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
