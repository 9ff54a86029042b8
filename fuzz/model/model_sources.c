#include "model_sources.h"

#include <stddef.h>
#include <string.h>

/* The four bytes of an IPv4 address, however it is written; else NULL. */
static const uint8_t *ipv4_of(const struct model_address *address)
{
	static const uint8_t prefix[12] = {
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

	if (address->is_ipv4)
		return address->bytes;
	return memcmp(address->bytes, prefix, 12) == 0 ? address->bytes + 12
						       : NULL;
}

bool model_sources_same(
	const struct model_address *a, const struct model_address *b)
{
	const uint8_t *x = ipv4_of(a);
	const uint8_t *y = ipv4_of(b);

	if (x != NULL && y != NULL)
		return memcmp(x, y, 4) == 0;
	return x == NULL && y == NULL && memcmp(a->bytes, b->bytes, 8) == 0;
}

uint32_t model_sources_taken(
	const struct model_sources *model, const struct model_address *address)
{
	uint32_t taken = 0;

	for (uint32_t i = 0; i < model->len; i++)
		taken += model->log[i].in_progress &&
			 (address == NULL || model_sources_same(address,
						     &model->log[i].address));
	return taken;
}

/* Is it the oldest handshake in progress of its source? */
static bool is_oldest(const struct model_sources *model, uint32_t i)
{
	if (!model->log[i].in_progress)
		return false;
	for (uint32_t k = 0; k < i; k++) {
		if (model->log[k].in_progress &&
			model_sources_same(
				&model->log[k].address, &model->log[i].address))
			return false;
	}
	return true;
}

uint32_t model_sources_count(const struct model_sources *model)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < model->len; i++)
		count += is_oldest(model, i);
	return count;
}

/* Of two with equally many, does the later one have to go nevertheless? */
static bool is_sooner(const struct model_sources *model, uint32_t later,
	uint32_t earlier, const struct model_address *address)
{
	const struct model_handshake *a = &model->log[later];
	const struct model_handshake *b = &model->log[earlier];

	if (model_sources_same(&b->address, address))
		return false;
	return model_sources_same(&a->address, address) ||
	       (b->heard && !a->heard);
}

/*
 * Who has to go: of the oldest handshakes of each source the one whose source
 * has the most, then the newcomer's own, then one that was not heard of, then
 * the oldest.
 */
static uint32_t choose_victim(
	const struct model_sources *model, const struct model_address *address)
{
	uint32_t victim = MODEL_SOURCES_EVENTS;
	uint32_t most = 0;

	for (uint32_t i = 0; i < model->len; i++) {
		const struct model_address *from = &model->log[i].address;
		uint32_t taken = model_sources_taken(model, from);

		if (!is_oldest(model, i))
			continue;
		if (taken > most ||
			(taken == most &&
				is_sooner(model, i, victim, address))) {
			victim = i;
			most = taken;
		}
	}
	return victim;
}

uint32_t model_sources_enter(
	struct model_sources *model, const struct model_address *address)
{
	uint32_t victim = MODEL_SOURCES_EVENTS;

	if (model_sources_taken(model, NULL) == model->cap) {
		victim = choose_victim(model, address);
		model->log[victim].in_progress = false;
	}
	model->log[model->len++] =
		(struct model_handshake){*address, true, false};
	return victim;
}
