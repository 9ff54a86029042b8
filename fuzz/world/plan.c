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
	n = vsnprintf(world.drawn + len, WORLD_CONFIG - len, format, args);
	__builtin_va_end(args);
	if (n < 0 || (size_t)n >= WORLD_CONFIG - len)
		__builtin_trap();
	len += (size_t)n;
}

/* What was said since the last piece is one. */
static void end_piece(unsigned only, unsigned without)
{
	if (world.piece_len == WORLD_PIECES)
		__builtin_trap();
	world.pieces[world.piece_len++] = (struct piece){len, only, without};
}

/* What is not trusted fails, and that is its own fault. */
static void blame_untrusted(void)
{
	for (unsigned a = 0; a < world.apps; a++)
		for (unsigned u = 0; u < world.app[a].upstreams; u++)
			world.app[a].items[u].is_to_blame |=
				world.app[a].items[u].is_tls;
}

void plan_write(unsigned variant)
{
	size_t from = 0;
	size_t to = 0;

	for (unsigned i = 0; i < world.piece_len; i++) {
		const struct piece *piece = &world.pieces[i];
		size_t n = piece->end - from;

		if ((piece->only == 0 || (piece->only & variant) != 0) &&
			(piece->without & variant) == 0) {
			memcpy(world.config + to, world.drawn + from, n);
			to += n;
		}
		from = piece->end;
	}
	world.config[to] = '\0';
	world.variant = variant;
	world.ever |= variant;
	if ((variant & OTHER_CA) != 0)
		blame_untrusted();
}

unsigned plan_places(unsigned variant)
{
	return world.max_connections +
	       ((variant & MORE_PLACES) != 0 ? PLACES_MORE : 0);
}

bool plan_bars(const struct client *client, unsigned variant)
{
	switch (client->who) {
	case WHO_ALICE:
		return client->app == 1 && (variant & NO_ALICE_IN_1) != 0;
	case WHO_BOB:
		return (variant & NO_BOB) != 0;
	case WHO_CAROL:
		return (variant & NO_CAROL) != 0;
	default:
		return false;
	}
}

static uint64_t one_of(unsigned a, unsigned b, unsigned c)
{
	const unsigned seconds[] = {a, b, c};

	return seconds[bytes_below(&world.bytes, 3)];
}

/* The CA of an upstream that is not there with one of these. */
static void say_ca(unsigned without)
{
	say("server_name = \"localhost\"\n");
	end_piece(0, without);
	say("ca = \"ca.pem\"\n");
	end_piece(0, without | OTHER_CA);
	say("ca = \"other-ca.pem\"\n");
	end_piece(OTHER_CA, without);
}

/* One that is not there with one of these. */
static void draw_upstream(
	struct app_plan *app, unsigned a, unsigned u, unsigned without)
{
	struct upstream *upstream = &app->items[u];
	unsigned drawn = bytes_u8(&world.bytes);

	*upstream = (struct upstream){.is_tls = (drawn & 1) != 0,
		.has_name = (drawn & 14) == 14,
		.has_address = (drawn & 16) == 0};
	/* With a name that has none it is down from the start. */
	upstream->is_to_blame = upstream->has_name && !upstream->has_address;
	say("[[app.upstream]]\nurl = \"");
	snprintf(upstream->url, sizeof(upstream->url),
		upstream->has_name ? "%s://n%u-%u.test:9000"
				   : "%s://10.1.%u.%u:9000",
		upstream->is_tls ? "tls" : "tcp", a, u);
	say("%s\"\n", upstream->url);
	if (upstream->is_tls)
		say_ca(without);
	if ((drawn & 0x60) == 0x60)
		say("weight = 3\n");
}

static void say_listen(unsigned a)
{
	if (a > 0) {
		say("listen = [\"127.0.0.1:%u\"]\n", PORT_APPS + a);
		return;
	}
	end_piece(0, 0);
	say("listen = [\"127.0.0.1:%u\", \"127.0.0.1:%u\"]\n", PORT_APPS,
		PORT_DOOR);
	end_piece(0, NO_DOOR);
	say("listen = [\"127.0.0.1:%u\"]\n", PORT_APPS);
	end_piece(NO_DOOR, 0);
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
	say("[[app]]\nid = \"app%u\"\n", a);
	say_listen(a);
	app->lifetime_ns = world.lifetime_ns;
	/* The first one of two has its own. */
	if (world.lifetime_ns != 0 && a + 1 < world.apps) {
		app->lifetime_ns = 7 * KERNEL_S;
		say("timeouts.lifetime = \"7s\"\n");
	}
	app->has_protocols = app->concurrent == 2;
	if (app->has_protocols)
		say("alpn = [\"one\", \"two\"]\n");
	if (world.sends_headers)
		say("proxy_protocol = true\n");
	if (world.reads_headers)
		say("accept_proxy = [\"192.0.2.0/24\", \"%s\"]\n",
			WORLD_BALANCER);
	if (app->takes_unclean_end)
		say("unclean_end = \"end\"\n");
	say("[app.health]\nenabled = %s\ninterval = \"1s\"\nfall = %u\n",
		app->has_checks ? "true" : "false",
		1 + bytes_below(&world.bytes, 3));
	if (app->concurrent > 0)
		say("[app.limits]\nconcurrent = %u\n", app->concurrent);
	for (unsigned u = 0; u < app->upstreams; u++) {
		bool is_last = a == 0 && u > 0 && u + 1 == app->upstreams;
		unsigned without = is_last ? NO_LAST : 0;

		end_piece(0, 0);
		draw_upstream(app, a, u, without);
		end_piece(0, without);
	}
}

/*
 * The first one of some files, which reloads add and remove. Nobody uses it,
 * but operators ask for it.
 */
static void say_extra_app(void)
{
	end_piece(0, 0);
	say("[[app]]\nid = \"app%u\"\nlisten = [\"127.0.0.1:%u\"]\n"
	    "[app.health]\nenabled = false\n"
	    "[[app.upstream]]\nurl = \"tcp://10.1.9.0:9000\"\n",
		WORLD_APPS, PORT_APPS + WORLD_APPS);
	end_piece(NO_DOOR, 0);
}

static void say_client(const char *id, enum world_who who, bool has_both)
{
	say("[[client]]\nid = \"%s\"\nserials = [\"%u\"]\nuris = [\"%s%c\"]\n"
	    "apps = [%s]\n",
		id, 1 + who, WORLD_URI, 'a' + (int)who,
		has_both && world.apps > 1 ? "\"app0\", \"app1\"" : "\"app0\"");
}

void plan_draw(struct world *w)
{
	struct bytes *bytes = &w->bytes;
	unsigned drawn = bytes_u8(bytes);

	len = 0;
	w->piece_len = 0;
	w->workers = 1 + drawn % 3;
	w->is_select = (drawn & 0x10) != 0;
	w->sends_headers = (drawn & 4) != 0;
	w->reads_headers = (drawn & 8) != 0;
	w->apps = (drawn & 0x20) != 0 ? 2 : 1;
	w->has_socket = (drawn & 3) == 3;
	w->max_connections = 1 + bytes_below(bytes, 6);
	w->max_handshakes = 1 + bytes_below(bytes, 6);
	w->handshake_ns = one_of(5, 1, 2) * KERNEL_S;
	w->connect_ns = one_of(3, 1, 2) * KERNEL_S;
	w->idle_ns = one_of(600, 2, 10) * KERNEL_S;
	w->lifetime_ns = (drawn & 0xc0) == 0xc0 ? 4 * KERNEL_S : 0;
	w->drain_delay_ns = (drawn & 0xc0) == 0x40 ? 3 * KERNEL_S : 0;
	w->drain_ns = one_of(30, 1, 5) * KERNEL_S;
	say("[server]\nworkers = %u\nevent_loop = \"%s\"\nmax_handshakes = "
	    "%u\n",
		w->workers, w->is_select ? "select" : "epoll",
		w->max_handshakes);
	if (w->has_socket)
		say("admin_socket = \"admin.sock\"\n");
	end_piece(0, 0);
	say("max_connections = %u\n", plan_places(0));
	end_piece(0, MORE_PLACES);
	say("max_connections = %u\n", plan_places(MORE_PLACES));
	end_piece(MORE_PLACES, 0);
	say("[timeouts]\nhandshake = \"%us\"\nconnect = \"%us\"\nidle = "
	    "\"%us\"\ndrain = \"%us\"\n",
		(unsigned)(w->handshake_ns / KERNEL_S),
		(unsigned)(w->connect_ns / KERNEL_S),
		(unsigned)(w->idle_ns / KERNEL_S),
		(unsigned)(w->drain_ns / KERNEL_S));
	if (w->drain_delay_ns != 0)
		say("drain_delay = \"%us\"\n",
			(unsigned)(w->drain_delay_ns / KERNEL_S));
	/* Who has an address keeps it then. */
	if (w->max_handshakes == 6)
		say("resolve = \"off\"\n");
	if (w->lifetime_ns != 0)
		say("lifetime = \"%us\"\n",
			(unsigned)(w->lifetime_ns / KERNEL_S));
	say("[tls]\ncertificate = \"a.pem\"\nprivate_key = \"a.key\"\n"
	    "client_ca = \"ca.pem\"\n");
	end_piece(0, 0);
	say("crl = \"revoked-%d.crl\"\n", 1 + WHO_CAROL);
	end_piece(NO_CAROL, 0);
	say_extra_app();
	for (unsigned a = 0; a < w->apps; a++)
		draw_app(a);
	w->carol = 1 + bytes_below(bytes, 3);
	end_piece(0, 0);
	say_client("alice", WHO_ALICE, true);
	end_piece(0, NO_ALICE_IN_1);
	say_client("alice", WHO_ALICE, false);
	end_piece(NO_ALICE_IN_1, 0);
	say_client("bob", WHO_BOB, false);
	end_piece(0, NO_BOB);
	say_client("carol", WHO_CAROL, true);
	say("[client.limits.app0]\nconcurrent = %u\n", w->carol);
	end_piece(0, 0);
	say("[server]\n");
	end_piece(IS_BROKEN, 0);
	plan_write(0);
}
