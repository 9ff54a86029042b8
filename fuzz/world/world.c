/* A run, from its input to its verdict. */
#include "world.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct world world;
static bool is_verbose;

void world_be_verbose(void)
{
	is_verbose = true;
}

void world_note(const char *format, ...)
{
	uint64_t now = kernel_now_ns();
	va_list args;

	if (!is_verbose)
		return;
	printf("%6llu.%06llu  ", (unsigned long long)(now / KERNEL_S),
		(unsigned long long)(now % KERNEL_S / 1000));
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

bool world_was_short(void)
{
	return world.was_troubled || kernel_faults() > 0;
}

/* A run is over once its bytes are, or it had enough steps. */
static bool is_trouble_over(void)
{
	return world.stage > 0 || world.bytes.len == 0 || world.steps > 100000;
}

static void turn(bool is_at_rest)
{
	world.is_at_rest = is_at_rest;
	if (is_at_rest)
		judge_rest();
	if (is_at_rest && acts_pass_time())
		return;
	if (!is_trouble_over()) {
		world.steps++;
		acts_draw();
	} else if (is_at_rest) {
		end_step();
	}
}

static const struct kernel_world callbacks = {.act = turn,
	.connects = arrivals_dial,
	.accepted = arrivals_accepted,
	.resolve = arrivals_resolve,
	.logged = judge_line};

/* Mostly much; in a quarter of the runs that have any it is little. */
static unsigned draw_trouble(void)
{
	unsigned drawn = bytes_u8(&world.bytes);

	return 255 - drawn * drawn / 256;
}

void world_run(const uint8_t *data, size_t len)
{
	static char *argv[] = {"lbproxyd", "-c", "lbproxyd.toml", NULL};
	static const unsigned buffers[4] = {4000, 600, 4000, 24000};
	struct kernel_plan plan = {.config = world.config};
	unsigned drawn;
	int status;

	memset(&world, 0, offsetof(struct world, clients));
	memset(&world.client_len, 0,
		sizeof(world) - offsetof(struct world, client_len));
	world.bytes = (struct bytes){data, len};
	plan_draw(&world);
	drawn = bytes_u8(&world.bytes);
	world.is_honest = (drawn & 1) != 0;
	plan.log = (enum kernel_log)(drawn >> 1) % KERNEL_LOG_KINDS;
	plan.log_room = (drawn & 0x10) != 0 ? 8192 : 1 << 20;
	plan.buffer = buffers[drawn >> 5 & 3];
	plan.trouble = drawn < 192 ? draw_trouble() : 0;
	plan.soft_limit = 64;
	plan.hard_limit = 250;
	/* Most runs are about a server that has started. */
	plan.is_calm = bytes_below(&world.bytes, 8) != 0;
	status = kernel_run(&plan, &callbacks, &world.bytes, 3, argv);
	judge_end(status);
	kernel_forget();
}
