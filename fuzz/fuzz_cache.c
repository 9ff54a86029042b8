/*
 * The cache of TLS sessions against a list of what it should have.
 *
 * Input: how many sessions it has room for, a byte modulo 8, plus 1; then
 * operations of a byte modulo 4 and what each takes:
 * - 0: put a session of a client, modulo 4, with an id, modulo 32, of which
 *   the beginnings are alike, that began so many minutes ago
 * - 1: find an id
 * - 2: drop the session of an id, or one that only has the same id
 * - 3: minutes pass
 */
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "../cmd/lbproxyd/clock.h"
#include "../cmd/lbproxyd/tls_cache.h"
#include "bytes.h"
#include "oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define IDS       32
#define CLIENTS   4
#define ROOM_MAX  8
#define MINUTE_NS (60 * LBP_NS_PER_S)
#define ID_LEN    32

/* What the cache should have, in the order in which it came. */
struct item {
	unsigned id;
	unsigned client;
	uint64_t full_ns;
};

static struct item items[ROOM_MAX];
static unsigned items_len;
static unsigned room;
static uint64_t now_ns;
/* Two sessions of each id: the cache tells them apart. */
static SSL_SESSION *sessions[IDS][2];
static SSL_SESSION *kept[IDS];

static void make_id(unsigned number, unsigned char id[ID_LEN])
{
	memset(id, 7, ID_LEN);
	id[0] = (unsigned char)(number % 3);
	id[ID_LEN - 1] = (unsigned char)number;
}

static void start(void)
{
	unsigned char id[ID_LEN];

	for (unsigned i = 0; i < IDS && sessions[IDS - 1][1] == NULL; i++) {
		make_id(i, id);
		for (int k = 0; k < 2; k++) {
			sessions[i][k] = SSL_SESSION_new();
			if (sessions[i][k] == NULL ||
				SSL_SESSION_set1_id(
					sessions[i][k], id, ID_LEN) != 1)
				abort();
		}
	}
}

static int place_of(unsigned id)
{
	for (unsigned i = 0; i < items_len; i++) {
		if (items[i].id == id)
			return (int)i;
	}
	return -1;
}

static unsigned count_of(unsigned client)
{
	unsigned n = 0;

	for (unsigned i = 0; i < items_len; i++)
		n += items[i].client == client;
	return n;
}

static void take_out(unsigned place)
{
	items_len--;
	memmove(&items[place], &items[place + 1],
		(items_len - place) * sizeof(*items));
}

/*
 * Makes room for a newcomer: the oldest of the client that has the most goes,
 * of several such clients the newcomer, else the one whose oldest is older.
 */
static void make_room(unsigned client)
{
	unsigned most = 0;
	unsigned victim = 0;

	for (unsigned c = 0; c < CLIENTS; c++) {
		if (count_of(c) > most)
			most = count_of(c);
	}
	while (count_of(items[victim].client) < most)
		victim++;
	if (count_of(client) == most) {
		for (victim = 0; items[victim].client != client;)
			victim++;
	}
	take_out(victim);
}

static void put(struct cache *cache, struct bytes *bytes)
{
	struct item item = {.client = bytes_below(bytes, CLIENTS)};
	uint8_t how = bytes_u8(bytes);

	item.id = how % IDS;
	item.full_ns = now_ns - bytes_below(bytes, 64) * MINUTE_NS;
	cache_put(cache, sessions[item.id][how / IDS % 2],
		&(struct cache_entry){
			.client = item.client, .full_ns = item.full_ns});
	if (place_of(item.id) >= 0)
		return;
	if (items_len == room)
		make_room(item.client);
	kept[item.id] = sessions[item.id][how / IDS % 2];
	items[items_len++] = item;
}

static void find(struct cache *cache, unsigned id)
{
	unsigned char text[ID_LEN];
	uint64_t full_ns = 0;
	int place = place_of(id);
	SSL_SESSION *found;

	make_id(id, text);
	found = cache_find(cache, text, ID_LEN, now_ns, 0, &full_ns);
	if (place < 0) {
		ORACLE("SRV-69", found == NULL, "%u is still there", id);
		return;
	}
	if (now_ns - items[place].full_ns >= 60 * MINUTE_NS) {
		ORACLE("SRV-70", found == NULL, "%u is too old", id);
		take_out((unsigned)place);
		return;
	}
	ORACLE("SRV-69", found == kept[id], "%u is not there", id);
	ORACLE("SRV-70", full_ns == items[place].full_ns, "another time");
	SSL_SESSION_free(found);
}

static void drop(struct cache *cache, uint8_t how)
{
	unsigned id = how % IDS;
	SSL_SESSION *session = sessions[id][how / IDS % 2];
	int place = place_of(id);

	cache_drop(cache, session);
	if (place >= 0 && kept[id] == session)
		take_out((unsigned)place);
}

/* All that is kept, and ids of other lengths, which never are. */
static void check(struct cache *cache)
{
	unsigned char id[ID_LEN];
	uint64_t full_ns;

	for (unsigned i = 0; i < IDS; i++) {
		make_id(i, id);
		for (size_t len = 0; len < ID_LEN; len += 3)
			ORACLE("SRV-69",
				cache_find(cache, id, len, now_ns, 0,
					&full_ns) == NULL,
				"an id of %zu bytes", len);
		find(cache, i);
	}
}

static void run(struct cache *cache, struct bytes *bytes)
{
	while (bytes->len > 0) {
		switch (bytes_below(bytes, 4)) {
		case 0:
			put(cache, bytes);
			break;
		case 1:
			find(cache, bytes_below(bytes, IDS));
			break;
		case 2:
			drop(cache, bytes_u8(bytes));
			break;
		default:
			now_ns += bytes_u8(bytes) * MINUTE_NS;
			break;
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct bytes bytes = {data, len};
	struct cache *cache;

	start();
	items_len = 0;
	now_ns = 100 * MINUTE_NS;
	room = bytes_below(&bytes, ROOM_MAX) + 1;
	cache = cache_new(room);
	if (cache == NULL)
		abort();
	run(cache, &bytes);
	check(cache);
	cache_free(cache);
	return 0;
}
