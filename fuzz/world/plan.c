/* The configuration of a run. */
#include <stdio.h>
#include <string.h>

#include "oracle.h"
#include "world.h"

static size_t len;

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
	__builtin_va_list args;
	int n;

	__builtin_va_start(args, format);
	n = vsnprintf(world.config + len, WORLD_CONFIG - len, format, args);
	__builtin_va_end(args);
	if (n < 0 || (size_t)n >= WORLD_CONFIG - len)
		__builtin_trap();
	len += (size_t)n;
}

static uint64_t one_of(unsigned a, unsigned b, unsigned c)
{
	const unsigned seconds[] = {a, b, c};

	return seconds[bytes_below(&world.bytes, 3)];
}

static void draw_upstream(struct app_plan *app, unsigned a, unsigned u)
{
	struct upstream *upstream = &app->items[u];
	unsigned drawn = bytes_u8(&world.bytes);

	*upstream = (struct upstream){.is_tls = (drawn & 1) != 0,
		.has_name = (drawn & 14) == 14,
		.has_address = (drawn & 16) == 0};
	/* With a name that has none it is down from the start. */
	upstream->is_to_blame = upstream->has_name && !upstream->has_address;
	say("[[app.upstream]]\nurl = \"%s://",
		upstream->is_tls ? "tls" : "tcp");
	if (upstream->has_name)
		say("n%u-%u.test:9000\"\n", a, u);
	else
		say("10.1.%u.%u:9000\"\n", a, u);
	if (upstream->is_tls)
		say("ca = \"ca.pem\"\nserver_name = \"localhost\"\n");
	if ((drawn & 0x60) == 0x60)
		say("weight = 3\n");
}

static void draw_app(unsigned a)
{
	struct app_plan *app = &world.app[a];
	unsigned drawn = bytes_u8(&world.bytes);

	/* Many, now and then: each check has an alarm. */
	app->upstreams =
		(drawn & 15) == 15 ? WORLD_UPSTREAMS : 1 + (drawn & 15) % 3;
	app->has_checks = (drawn & 16) == 0;
	app->takes_unclean_end = (drawn & 32) != 0;
	app->concurrent = drawn >> 6; /* 0: none */
	say("[[app]]\nid = \"app%u\"\nlisten = [\"127.0.0.1:%u\"]\n", a,
		8000 + a);
	app->lifetime_ns = world.lifetime_ns;
	/* The first one of two has its own. */
	if (world.lifetime_ns != 0 && a + 1 < world.apps) {
		app->lifetime_ns = 7 * KERNEL_S;
		say("timeouts.lifetime = \"7s\"\n");
	}
	if (app->takes_unclean_end)
		say("unclean_end = \"end\"\n");
	say("[app.health]\nenabled = %s\ninterval = \"1s\"\nfall = %u\n",
		app->has_checks ? "true" : "false",
		1 + bytes_below(&world.bytes, 3));
	if (app->concurrent > 0)
		say("[app.limits]\nconcurrent = %u\n", app->concurrent);
	for (unsigned u = 0; u < app->upstreams; u++)
		draw_upstream(app, a, u);
}

static void say_client(const char *id, unsigned serial, bool has_both)
{
	say("[[client]]\nid = \"%s\"\nserials = [\"%u\"]\napps = [%s]\n", id,
		serial,
		has_both && world.apps > 1 ? "\"app0\", \"app1\"" : "\"app0\"");
}

void plan_draw(struct world *w)
{
	struct bytes *bytes = &w->bytes;
	unsigned drawn = bytes_u8(bytes);

	len = 0;
	w->workers = 1 + drawn % 3;
	w->is_select = (drawn & 0x10) != 0;
	w->apps = (drawn & 0x20) != 0 ? 2 : 1;
	w->max_connections = 1 + bytes_below(bytes, 6);
	w->max_handshakes = 1 + bytes_below(bytes, 6);
	w->handshake_ns = one_of(5, 1, 2) * KERNEL_S;
	w->connect_ns = one_of(3, 1, 2) * KERNEL_S;
	w->idle_ns = one_of(600, 2, 10) * KERNEL_S;
	w->lifetime_ns = (drawn & 0xc0) == 0xc0 ? 4 * KERNEL_S : 0;
	w->drain_ns = one_of(30, 1, 5) * KERNEL_S;
	say("[server]\nworkers = %u\nevent_loop = \"%s\"\nmax_connections = "
	    "%u\nmax_handshakes = %u\n",
		w->workers, w->is_select ? "select" : "epoll",
		w->max_connections, w->max_handshakes);
	say("[timeouts]\nhandshake = \"%us\"\nconnect = \"%us\"\nidle = "
	    "\"%us\"\ndrain = \"%us\"\n",
		(unsigned)(w->handshake_ns / KERNEL_S),
		(unsigned)(w->connect_ns / KERNEL_S),
		(unsigned)(w->idle_ns / KERNEL_S),
		(unsigned)(w->drain_ns / KERNEL_S));
	if (w->lifetime_ns != 0)
		say("lifetime = \"%us\"\n",
			(unsigned)(w->lifetime_ns / KERNEL_S));
	say("[tls]\ncertificate = \"a.pem\"\nprivate_key = \"a.key\"\n"
	    "client_ca = \"ca.pem\"\n");
	for (unsigned a = 0; a < w->apps; a++)
		draw_app(a);
	w->carol = 1 + bytes_below(bytes, 3);
	say_client("alice", 1 + WHO_ALICE, true);
	say_client("bob", 1 + WHO_BOB, false);
	say_client("carol", 1 + WHO_CAROL, true);
	say("[client.limits.app0]\nconcurrent = %u\n", w->carol);
}
