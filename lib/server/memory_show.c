/* Memory in words. */
#include <stdbool.h>

#include "server/config_writer.h"
#include "server/memory.h"

enum {
	SIZE_COLUMN = 48,
};

#define MIB (LBP_MEMORY_KIB * 1024)
/* From here on a size is shown in MiB. [MEM-8]. */
#define LARGE (10 * MIB)

static const char head[] =
	"\n# The most memory that the process may take with this "
	"configuration, while\n"
	"# another one like it is loaded. What the kernel has for its sockets, "
	"above\n"
	"# all their buffers, comes on top. lbproxyd(8) says what is taken for "
	"granted.\n";

static const char *const names[LBP_MEMORY_PARTS] = {
	[LBP_MEMORY_SESSIONS] = "sessions",
	[LBP_MEMORY_HANDSHAKES] = "handshakes",
	[LBP_MEMORY_CACHE] = "TLS sessions that may be resumed",
	[LBP_MEMORY_SOURCES] = "table of the handshakes' sources",
	[LBP_MEMORY_LIMITS] = "times of admissions",
	[LBP_MEMORY_CONFIGURATIONS] = "two configurations",
	[LBP_MEMORY_WORKERS] = "workers",
	[LBP_MEMORY_CHECKS] = "health checks",
	[LBP_MEMORY_ADMIN] = "admin port and socket",
	[LBP_MEMORY_BASE] = "program and libraries",
	[LBP_MEMORY_RESERVE] = "reserve for the gaps in malloc's memory",
};

static void put_size(struct lbp_config_writer *writer, uint64_t bytes)
{
	bool is_large = bytes >= LARGE;
	uint64_t unit = is_large ? MIB : LBP_MEMORY_KIB;

	lbp_config_put_indent(writer, SIZE_COLUMN);
	lbp_config_put_number(writer, (bytes + unit - 1) / unit);
	lbp_config_put(writer, is_large ? " MiB\n" : " KiB\n");
}

static void put_one(
	struct lbp_config_writer *writer, const char *name, uint64_t bytes)
{
	lbp_config_put(writer, "# ");
	lbp_config_put(writer, name);
	lbp_config_put(writer, ":");
	put_size(writer, bytes);
}

/* How many there are of a part; 0: it is one thing. */
static uint64_t count_of(
	const struct lbp_memory *memory, enum lbp_memory_part part)
{
	switch (part) {
	case LBP_MEMORY_SESSIONS:
		return memory->connections;
	case LBP_MEMORY_HANDSHAKES:
		return memory->handshakes;
	default:
		return 0;
	}
}

static void put_part(struct lbp_config_writer *writer,
	const struct lbp_memory *memory, enum lbp_memory_part part)
{
	uint64_t count = count_of(memory, part);

	lbp_config_put(writer, "#   ");
	lbp_config_put(writer, names[part]);
	if (count > 0) {
		lbp_config_put(writer, " (");
		lbp_config_put_number(writer, count);
		lbp_config_put(writer, ")");
	}
	put_size(writer, memory->parts[part]);
}

void lbp_memory_show(const struct lbp_memory *memory,
	void (*put)(void *user, const char *text, size_t text_len), void *user)
{
	struct lbp_config_writer writer = {.put = put, .user = user};

	lbp_config_put(&writer, head);
	put_one(&writer, "a session", memory->session);
	put_one(&writer, "a session whose upstream is tls://",
		memory->session_tls);
	put_one(&writer, "a stranger's handshake", memory->handshake);
	put_one(&writer, "the process", memory->total);
	for (size_t i = 0; i < LBP_MEMORY_PARTS; i++) {
		if (memory->parts[i] > 0)
			put_part(&writer, memory, (enum lbp_memory_part)i);
	}
}
