/* How long sessions may take: from the configuration to the session. */
#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

#include "config_expect.h"
#include "server/config_field.h"
#include "server/session_timeouts.h"
#include "server/share.h"
#include "suites.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define TLS    "[tls]\ncertificate='c'\nprivate_key='k'\nclient_ca='a'\n"
#define UP     "[[app.upstream]]\nurl='tcp://h:1'\n"
#define APP(n) "[[app]]\nid='" n "'\nlisten=['h:" n "']\n"

#define MS UINT64_C(1000000)

#define MUST(key, accepted, value) key " must be " accepted ", not " value
#define OR_OFF                     LBP_CONFIG_DURATION_OR_OFF

static struct lbp_config *parse(const char *text)
{
	struct lbp_config_errors errors;
	struct lbp_config *config = NULL;

	CU_ASSERT_EQUAL_FATAL(
		lbp_config_parse(text, strlen(text), &config, &errors), LBP_OK);
	return config;
}

static void timeouts_are(const struct lbp_config_timeouts *timeouts,
	uint64_t connect_ms, uint64_t idle_ms, uint64_t lifetime_ms)
{
	CU_ASSERT_EQUAL(timeouts->connect_ns, connect_ms * MS);
	CU_ASSERT_EQUAL(timeouts->idle_ns, idle_ms * MS);
	CU_ASSERT_EQUAL(timeouts->lifetime_ns, lifetime_ms * MS);
}

static void by_default_nothing_but_lifetime_is_off(void)
{
	struct lbp_config *config = parse(TLS APP("1") UP);

	timeouts_are(&config->timeouts, 3000, 600000, 0);
	timeouts_are(&config->apps[0].timeouts, 3000, 600000, 0);
	lbp_config_free(config);
}

static void an_app_has_those_of_all(void)
{
	struct lbp_config *config = parse(TLS APP("1") UP APP(
		"2") "timeouts = {}\n" UP
		     "[timeouts]\nconnect='5ms'\nidle='off'\nlifetime='7ms'\n");

	timeouts_are(&config->timeouts, 5, 0, 7);
	timeouts_are(&config->apps[0].timeouts, 5, 0, 7);
	timeouts_are(&config->apps[1].timeouts, 5, 0, 7);
	lbp_config_free(config);
}

static void an_app_overrides_each(void)
{
	struct lbp_config *config = parse(
		"[timeouts]\nhandshake='4ms'\nconnect='5ms'\nidle='6ms'\n"
		"lifetime='7ms'\n" TLS APP("1") "timeouts.connect='8ms'\n" UP
			APP("2") "timeouts = { idle='off' }\n" UP APP(
				"3") "timeouts = { lifetime='off' }\n" UP
				APP("4") "timeouts = { idle='9ms', "
					 "lifetime='1h' "
					 "}\n" UP);
	struct lbp_session_timeouts all;

	timeouts_are(&config->timeouts, 5, 6, 7);
	timeouts_are(&config->apps[0].timeouts, 8, 6, 7);
	timeouts_are(&config->apps[1].timeouts, 5, 0, 7);
	timeouts_are(&config->apps[2].timeouts, 5, 6, 0);
	timeouts_are(&config->apps[3].timeouts, 5, 9, 3600000);
	all = lbp_session_timeouts_of(config, &config->apps[0]);
	CU_ASSERT_EQUAL(all.handshake_ns, 4 * MS);
	CU_ASSERT_EQUAL(all.connect_ns, 8 * MS);
	CU_ASSERT_EQUAL(all.idle_ns, 6 * MS);
	CU_ASSERT_EQUAL(all.linger_ns, 2000 * MS);
	lbp_config_free(config);
}

static void keepalive_is_a_minute_or_off(void)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} rows[] = {{TLS APP("1") UP, 60000 * MS},
		{"timeouts.keepalive='off'\n" TLS APP("1") UP, 0},
		{"timeouts.keepalive='5s'\n" TLS APP("1") UP, 5000 * MS}};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct lbp_config *config = parse(rows[i].text);

		CU_ASSERT_EQUAL(config->keepalive_ns, rows[i].ns);
		lbp_config_free(config);
	}
}

static void a_delay_may_be_none(void)
{
	static const struct {
		const char *text;
		enum lbp_err err;
		uint64_t ns;
	} rows[] = {{"0s", LBP_OK, 0}, {"0ms", LBP_OK, 0}, {"0m", LBP_OK, 0},
		{"0h", LBP_OK, 0}, {"000h", LBP_OK, 0}, {"7ms", LBP_OK, 7 * MS},
		{"05s", LBP_OK, 5000 * MS},
		{"8760h", LBP_OK, UINT64_C(8760) * 3600000 * MS},
		{"8761h", LBP_ERR_RANGE, 77}, {"0", LBP_ERR_SYNTAX, 77},
		{"", LBP_ERR_SYNTAX, 77}, {"s", LBP_ERR_SYNTAX, 77},
		{"0x", LBP_ERR_SYNTAX, 77}, {"0 s", LBP_ERR_SYNTAX, 77},
		{"0sx", LBP_ERR_SYNTAX, 77}, {"-0s", LBP_ERR_SYNTAX, 77},
		{"000", LBP_ERR_SYNTAX, 77}};

	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t len = strlen(rows[i].text);
		/* Nothing is read after it. */
		char *text = malloc(len + (len == 0));
		uint64_t ns = 77;

		CU_ASSERT_PTR_NOT_NULL_FATAL(text);
		memcpy(text, rows[i].text, len);
		CU_ASSERT_EQUAL(lbp_delay_parse(&ns, text, len), rows[i].err);
		CU_ASSERT_EQUAL(ns, rows[i].ns);
		free(text);
	}
}

static void a_drain_has_a_delay_or_none(void)
{
	struct lbp_config *config = parse(TLS APP("1") UP);

	CU_ASSERT_EQUAL(config->drain_delay_ns, 0);
	lbp_config_free(config);
	config = parse("timeouts.drain_delay='0s'\n" TLS APP("1") UP);
	CU_ASSERT_EQUAL(config->drain_delay_ns, 0);
	lbp_config_free(config);
	config = parse("timeouts.drain_delay='3s'\n" TLS APP("1") UP);
	CU_ASSERT_EQUAL(config->drain_delay_ns, 3000 * MS);
	CU_ASSERT_EQUAL(config->drain_ns, 30000 * MS);
	lbp_config_free(config);
}

static const char wrong_text[] =
	"[timeouts]\ndrain_delay = 'off'\nkeepalive = 'never'\nconnect = "
	"'off'\nidle = "
	"'on'\nlifetime = 'OFF'\n" TLS APP("1") "timeouts = 1\n" UP APP(
		"2") "timeouts = { connect = 'off', idle = 0, lifetime = "
		     "'offs' "
		     "}\n" UP APP("3") "timeouts = { drain = '1s' }\n" UP;

static const struct want wrong_wanted[] = {
	{2, 15, MUST("timeouts.drain_delay", LBP_CONFIG_DELAY, "'off'")},
	{3, 13, MUST("timeouts.keepalive", OR_OFF, "'never'")},
	{4, 11, MUST("timeouts.connect", LBP_CONFIG_DURATION, "'off'")},
	{5, 8, MUST("timeouts.idle", OR_OFF, "'on'")},
	{6, 12, MUST("timeouts.lifetime", OR_OFF, "'OFF'")},
	{14, 12,
		MUST("app.timeouts", "a table with connect, idle and lifetime",
			"an integer")},
	{20, 24, MUST("app.timeouts.connect", LBP_CONFIG_DURATION, "'off'")},
	{20, 38, MUST("app.timeouts.idle", OR_OFF, "an integer")},
	{20, 52, MUST("app.timeouts.lifetime", OR_OFF, "'offs'")},
	{26, 14,
		"unknown key 'app.timeouts.drain'; accepted: connect, idle, "
		"lifetime"},
};

static void what_is_wrong_is_said(void)
{
	config_expect(wrong_text, wrong_wanted, COUNT(wrong_wanted));
}

static void shares_are_as_their_generator_says(void)
{
	/* The first numbers of SplitMix64 from 1234567. */
	static const uint64_t numbers[] = {UINT64_C(6457827717110365317),
		UINT64_C(3203168211198807973), UINT64_C(9817491932198370423),
		UINT64_C(4593380528125082431), UINT64_C(16408922859458223821)};
	uint64_t state = 1234567;

	for (size_t i = 0; i < COUNT(numbers); i++)
		CU_ASSERT_EQUAL(
			lbp_share_draw(&state), (uint32_t)(numbers[i] >> 32));
}

void suite_session_timeouts(void)
{
	CU_pSuite suite = CU_add_suite("session timeouts", NULL, NULL);

	CU_add_test(suite, "[CFG-60] by default only the lifetime is off",
		by_default_nothing_but_lifetime_is_off);
	CU_add_test(suite, "[CFG-61] an app has the timeouts of all",
		an_app_has_those_of_all);
	CU_add_test(suite, "[CFG-61][SRV-170] an app overrides each timeout",
		an_app_overrides_each);
	CU_add_test(suite, "[CFG-64] a delay may be none", a_delay_may_be_none);
	CU_add_test(suite, "[CFG-64] a drain has a delay, or none",
		a_drain_has_a_delay_or_none);
	CU_add_test(suite, "[CFG-62] keepalive is a minute, or off",
		keepalive_is_a_minute_or_off);
	CU_add_test(suite, "[CFG-60][CFG-61][CFG-62] what is wrong is said",
		what_is_wrong_is_said);
	CU_add_test(suite, "[SRV-170] shares are as their generator says",
		shares_are_as_their_generator_says);
}
