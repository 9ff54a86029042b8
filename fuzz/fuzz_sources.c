/*
 * Shares of handshakes against their model.
 *
 * Input:
 * - how many places, a byte modulo 8, plus 1;
 * - a seed, a byte: if it is odd, all sources have one bucket;
 * - operations, a byte and what it takes; from 0xf0 on something is heard of an
 *   index of those that entered, else the byte modulo 6 says:
 * - 0: enter, from an address
 * - 1: leave, an index of those that entered
 * - 2: leave with a ticket that was not given out: an index, whose order is
 *   taken, and a byte, of its place
 * - 3: enter, from the address of an index of those that entered
 * - 4: leave, the oldest in progress
 * - 5: leave with any order, a bytes_time, and any place, a bytes_time
 *
 * An index is a byte modulo how many there are. An address is a byte modulo 5:
 * - 0: 192.0.2.x, a byte modulo 8
 * - 1: the same as ::ffff:192.0.2.x
 * - 2: 2001:db8:0:x::y, a byte modulo 8 and a byte
 * - 3: ::ffff:192.0.2.x with a byte xored to the one at a byte modulo 16
 * - 4: 16 bytes
 */
#include <string.h>

#include "bytes.h"
#include "model/model_sources.h"
#include "oracle.h"
#include "server/sources_state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define NOBODY MODEL_SOURCES_EVENTS

/* Both, and the tickets of the model's log. */
struct pair {
	struct lbp_sources *sources;
	struct model_sources model;
	struct lbp_ticket tickets[MODEL_SOURCES_EVENTS];
};

static struct lbp_source source_of(const struct model_address *address)
{
	return address->is_ipv4 ? lbp_source_ipv4(address->bytes)
				: lbp_source_ipv6(address->bytes);
}

static struct model_address draw_address(struct bytes *bytes)
{
	static const uint8_t mapped[12] = {
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	static const uint8_t ours[8] = {0x20, 0x01, 0x0d, 0xb8};
	static const uint8_t ipv4[4] = {192, 0, 2, 0};
	struct model_address address = {false, {0}};
	uint8_t kind = (uint8_t)bytes_below(bytes, 5);
	uint8_t *at = address.bytes;
	uint8_t i;

	switch (kind) {
	case 0:
	case 1:
	case 3:
		address.is_ipv4 = kind == 0;
		if (kind != 0) {
			memcpy(at, mapped, 12);
			at += 12;
		}
		memcpy(at, ipv4, 4);
		at[3] = (uint8_t)bytes_below(bytes, 8);
		i = (uint8_t)(kind == 3 ? bytes_below(bytes, 16) : 0);
		if (kind == 3)
			address.bytes[i] ^= bytes_u8(bytes);
		break;
	case 2:
		memcpy(at, ours, 8);
		at[7] = (uint8_t)bytes_below(bytes, 8);
		at[15] = bytes_u8(bytes);
		break;
	default:
		for (i = 0; i < 16; i++)
			at[i] = bytes_u8(bytes);
		break;
	}
	return address;
}

static bool is_free(const struct pair *pair, uint32_t place)
{
	for (uint32_t i = 0; i < pair->model.len; i++) {
		if (pair->model.log[i].in_progress &&
			pair->tickets[i].place == place)
			return false;
	}
	return true;
}

/* What the source of a handshake that lost its place had before it did. */
static void check_share(const struct pair *pair, uint32_t victim,
	uint32_t count, const uint32_t *taken)
{
	ORACLE("SRC-4",
		victim == NOBODY || taken[victim] * count >= pair->model.cap,
		"a source with %u of %u places lost one, of %u sources",
		taken[victim], pair->model.cap, count);
}

static void enter(struct pair *pair, const struct model_address *address)
{
	struct model_sources *model = &pair->model;
	struct lbp_source source = source_of(address);
	uint32_t taken[MODEL_SOURCES_EVENTS + 1] = {0};
	uint32_t count = model_sources_count(model);
	struct lbp_ticket ticket, evicted;
	uint32_t victim;

	for (uint32_t i = 0; i < model->len; i++)
		taken[i] = model_sources_taken(model, &model->log[i].address);
	victim = model_sources_enter(model, address);
	lbp_sources_enter(pair->sources, &source, &ticket, &evicted);
	if (victim == NOBODY)
		ORACLE("SRC-2", evicted.order == 0,
			"evicted although a place was free");
	else
		ORACLE("SRC-3",
			evicted.order == pair->tickets[victim].order &&
				evicted.place == pair->tickets[victim].place,
			"evicted %llu instead of %llu",
			(unsigned long long)evicted.order,
			(unsigned long long)pair->tickets[victim].order);
	check_share(pair, victim, count, taken);
	pair->tickets[model->len - 1] = (struct lbp_ticket){0, UINT32_MAX};
	ORACLE("SRC-2",
		ticket.place < model->cap && is_free(pair, ticket.place),
		"place %u of %u was not free", ticket.place, model->cap);
	for (uint32_t i = 0; i + 1 < model->len; i++)
		ORACLE("SRC-5", ticket.order != pair->tickets[i].order,
			"two tickets have one order");
	pair->tickets[model->len - 1] = ticket;
}

/* Gives a ticket back, which is that of handshake i or nobody's. */
static void leave(struct pair *pair, struct lbp_ticket ticket, uint32_t i)
{
	bool wanted = i != NOBODY && pair->model.log[i].in_progress;
	enum lbp_err err = lbp_sources_leave(pair->sources, ticket);

	ORACLE("SRC-5", err == (wanted ? LBP_OK : LBP_ERR_STATE),
		"%s for a ticket that %s a place", lbp_err_text(err),
		wanted ? "has" : "has not");
	if (wanted)
		pair->model.log[i].in_progress = false;
}

/* Of a handshake that may have lost its place, or given it back. */
static void hear(struct pair *pair, uint32_t i)
{
	bool is_there = pair->model.log[i].in_progress;
	enum lbp_err err = lbp_sources_heard(pair->sources, pair->tickets[i]);

	ORACLE("SRC-5", err == (is_there ? LBP_OK : LBP_ERR_STATE),
		"%s for a ticket that %s a place", lbp_err_text(err),
		is_there ? "has" : "has not");
	pair->model.log[i].heard = true;
}

/* Whose ticket is it? */
static uint32_t owner_of(const struct pair *pair, struct lbp_ticket ticket)
{
	uint32_t i = 0;

	while (i < pair->model.len &&
		(pair->tickets[i].order != ticket.order ||
			pair->tickets[i].place != ticket.place))
		i++;
	return i < pair->model.len ? i : NOBODY;
}

static uint32_t oldest(const struct pair *pair)
{
	uint32_t i = 0;

	while (i + 1 < pair->model.len && !pair->model.log[i].in_progress)
		i++;
	return i;
}

static void operate(struct pair *pair, struct bytes *bytes)
{
	struct model_sources *model = &pair->model;
	uint8_t byte = bytes_u8(bytes);
	uint8_t what = byte % 6;
	struct model_address address;
	struct lbp_ticket ticket;
	uint32_t i = 0;

	if (byte >= 0xf0 && model->len > 0) {
		hear(pair, bytes_below(bytes, model->len));
		return;
	}
	if (model->len == 0)
		what = 0;
	if (what >= 1 && what <= 3)
		i = bytes_below(bytes, model->len);
	switch (what) {
	case 0:
		address = draw_address(bytes);
		enter(pair, &address);
		break;
	case 3:
		address = model->log[i].address;
		enter(pair, &address);
		break;
	case 1:
	case 4:
		i = what == 4 ? oldest(pair) : i;
		leave(pair, pair->tickets[i], i);
		break;
	default:
		ticket.order =
			what == 2 ? pair->tickets[i].order : bytes_time(bytes);
		ticket.place = what == 2 ? bytes_u8(bytes)
					 : (uint32_t)bytes_time(bytes);
		leave(pair, ticket, owner_of(pair, ticket));
		break;
	}
}

static void check_state(const struct pair *pair)
{
	const struct model_sources *model = &pair->model;
	const struct lbp_sources *sources = pair->sources;

	ORACLE("SRC-2", lbp_sources_validate(sources), "an invariant broke");
	ORACLE("SRC-2",
		lbp_sources_taken(sources) == model_sources_taken(model, NULL),
		"%u places are taken", lbp_sources_taken(sources));
	ORACLE("SRC-1",
		lbp_sources_count(sources) == model_sources_count(model),
		"%u sources have one", lbp_sources_count(sources));
	for (uint32_t i = 0; i < model->len; i++) {
		struct lbp_source source = source_of(&model->log[i].address);
		uint32_t taken = lbp_sources_taken_by(sources, &source);

		ORACLE("SRC-1",
			taken == model_sources_taken(
					 model, &model->log[i].address),
			"a source has %u", taken);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct pair pair;
	struct bytes bytes = {data, len};
	uint64_t seed[2];

	pair.model.len = 0;
	pair.model.cap = 1 + bytes_below(&bytes, 8);
	seed[0] = bytes_u8(&bytes);
	seed[1] = ~seed[0];
	if (lbp_sources_new(&pair.sources, pair.model.cap, seed) != LBP_OK)
		return 0;
	if (seed[0] % 2 == 1)
		pair.sources->mask = 0;
	while (bytes.len > 0 && pair.model.len < MODEL_SOURCES_EVENTS) {
		operate(&pair, &bytes);
		check_state(&pair);
	}
	lbp_sources_free(pair.sources);
	return 0;
}
