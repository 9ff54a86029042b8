#include <CUnit/CUnit.h>

#include "config_texts.h"
#include "server/descriptors.h"
#include "suites.h"

static struct lbp_config *parse(void)
{
	static const char text[] =
		"[server]\nmax_connections = 100\n"
		"[tls]\ncertificate = 'c'\nprivate_key = 'k'\nclient_ca = 'a'\n"
		"[[app]]\nid = 'web'\nlisten = ['127.0.0.1:1']\n"
		"[[app.upstream]]\nurl = 'tcp://a:1'\n"
		"[[app.upstream]]\nurl = 'tcp://b:1'\n"
		"[[app]]\nid = 'db'\nlisten = ['127.0.0.1:2']\n"
		"[app.health]\nenabled = false\n"
		"[[app.upstream]]\nurl = 'tcp://c:1'\n";

	return config_of(text);
}

static void descriptors_are_counted(void)
{
	struct lbp_config *config = parse();

	/* Two upstreams are checked: those of web. */
	CU_ASSERT_EQUAL(lbp_descriptors_needed(config, 1, 2, 0),
		16 + 11 + 2 + 2 * 100 + 256 + 2);
	CU_ASSERT_EQUAL(lbp_descriptors_needed(config, 4, 7, 0),
		16 + 44 + 7 + 2 * 100 + 256 + 2);
	config->apps[1].health.enabled = true;
	CU_ASSERT_EQUAL(lbp_descriptors_needed(config, 1, 2, 0),
		16 + 11 + 2 + 2 * 100 + 256 + 3);
	/* What is beyond the configuration's apps does not count. */
	config->app_len = 1;
	CU_ASSERT_EQUAL(lbp_descriptors_needed(config, 1, 2, 0),
		16 + 11 + 2 + 2 * 100 + 256 + 2);
	config->app_len = 2;
	config->apps[1].health.enabled = false;
	config->max_connections = 1000000;
	config->max_handshakes = 1000000;
	CU_ASSERT_EQUAL(lbp_descriptors_needed(config, 1, 2, 0),
		16 + 11 + 2 + 2000000 + 1000000 + 2);
	CU_ASSERT_EQUAL(lbp_descriptors_needed(config, 1, 2, 600),
		16 + 11 + 2 + 2000000 + 1000000 + 2 + 600);
	lbp_config_free(config);
}

static void those_of_operators_are_counted(void)
{
	struct lbp_config *config = parse();

	config->admin.host = "localhost";
	CU_ASSERT_EQUAL(lbp_descriptors_needed(config, 1, 2, 0),
		16 + 11 + 2 + 2 * 100 + 256 + 2 + 64);
	config->admin_socket.ptr = "a";
	CU_ASSERT_EQUAL(lbp_descriptors_needed(config, 1, 2, 0),
		16 + 11 + 2 + 2 * 100 + 256 + 2 + 128);
	config->admin.host = NULL;
	CU_ASSERT_EQUAL(lbp_descriptors_needed(config, 1, 2, 0),
		16 + 11 + 2 + 2 * 100 + 256 + 2 + 64);
	config->admin_socket.ptr = NULL;
	lbp_config_free(config);
}

static void the_event_loop_follows_the_descriptors(void)
{
	struct lbp_config *config = parse();
	enum lbp_event_loop loop = LBP_EVENT_LOOP_AUTO;

	CU_ASSERT_EQUAL(
		lbp_descriptors_event_loop(config, 40, 1024, &loop), LBP_OK);
	CU_ASSERT_EQUAL(loop, LBP_EVENT_LOOP_SELECT);
	CU_ASSERT_EQUAL(
		lbp_descriptors_event_loop(config, 41, 1024, &loop), LBP_OK);
	CU_ASSERT_EQUAL(loop, LBP_EVENT_LOOP_EPOLL);
	CU_ASSERT_EQUAL(
		lbp_descriptors_event_loop(config, 30, 30, &loop), LBP_OK);
	CU_ASSERT_EQUAL(loop, LBP_EVENT_LOOP_SELECT);
	CU_ASSERT_EQUAL(
		lbp_descriptors_event_loop(config, 31, 30, &loop), LBP_OK);
	CU_ASSERT_EQUAL(loop, LBP_EVENT_LOOP_EPOLL);

	CU_ASSERT_EQUAL(
		lbp_descriptors_event_loop(config, 5000, 1024, &loop), LBP_OK);
	CU_ASSERT_EQUAL(loop, LBP_EVENT_LOOP_EPOLL);

	config->event_loop = LBP_EVENT_LOOP_EPOLL;
	CU_ASSERT_EQUAL(
		lbp_descriptors_event_loop(config, 5000, 1024, &loop), LBP_OK);
	CU_ASSERT_EQUAL(
		lbp_descriptors_event_loop(config, 1, 1024, &loop), LBP_OK);
	CU_ASSERT_EQUAL(loop, LBP_EVENT_LOOP_EPOLL);

	config->event_loop = LBP_EVENT_LOOP_SELECT;
	CU_ASSERT_EQUAL(
		lbp_descriptors_event_loop(config, 1024, 1024, &loop), LBP_OK);
	CU_ASSERT_EQUAL(loop, LBP_EVENT_LOOP_SELECT);
	CU_ASSERT_EQUAL(
		lbp_descriptors_event_loop(config, 1, 1024, &loop), LBP_OK);
	lbp_config_free(config);
}

/* What is left beside all else is for handshakes, and one there must be. */
static void select_is_refused_without_room_for_one(void)
{
	struct lbp_config *config = parse();
	enum lbp_event_loop loop = LBP_EVENT_LOOP_AUTO;

	config->event_loop = LBP_EVENT_LOOP_SELECT;
	CU_ASSERT_EQUAL(
		lbp_descriptors_event_loop(config, 1024 + 255, 1024, &loop),
		LBP_OK);
	CU_ASSERT_EQUAL(loop, LBP_EVENT_LOOP_SELECT);
	loop = LBP_EVENT_LOOP_AUTO;
	CU_ASSERT_EQUAL(
		lbp_descriptors_event_loop(config, 1024 + 256, 1024, &loop),
		LBP_ERR_RANGE);
	CU_ASSERT_EQUAL(loop, LBP_EVENT_LOOP_AUTO);
	lbp_config_free(config);
}

static void select_has_the_handshakes_that_fit(void)
{
	struct lbp_config *config = parse();

	CU_ASSERT_EQUAL(lbp_descriptors_handshakes(config,
				LBP_EVENT_LOOP_SELECT, 1024 + 255, 1024),
		1);
	CU_ASSERT_EQUAL(lbp_descriptors_handshakes(
				config, LBP_EVENT_LOOP_SELECT, 1025, 1024),
		255);
	CU_ASSERT_EQUAL(lbp_descriptors_handshakes(
				config, LBP_EVENT_LOOP_SELECT, 1024, 1024),
		256);
	CU_ASSERT_EQUAL(lbp_descriptors_handshakes(
				config, LBP_EVENT_LOOP_SELECT, 1, 1024),
		256);
	CU_ASSERT_EQUAL(lbp_descriptors_handshakes(
				config, LBP_EVENT_LOOP_EPOLL, 5000, 1024),
		256);
	lbp_config_free(config);
}

void suite_descriptors(void)
{
	CU_pSuite suite = CU_add_suite("descriptors", NULL, NULL);

	CU_add_test(suite, "[POL-2] descriptors are counted",
		descriptors_are_counted);
	CU_add_test(suite, "[POL-9] those of operators are counted",
		those_of_operators_are_counted);
	CU_add_test(suite, "[POL-3] the event loop follows the descriptors",
		the_event_loop_follows_the_descriptors);
	CU_add_test(suite, "[POL-3] select is refused without room for one",
		select_is_refused_without_room_for_one);
	CU_add_test(suite, "[POL-6] select has the handshakes that fit",
		select_has_the_handshakes_that_fit);
}
