/* Limits that can take no effect. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/config.h"
#include "suites.h"

#define TLS                                                                    \
	"[tls]\ncertificate = \"c\"\nprivate_key = \"k\"\nclient_ca = \"a\"\n"
#define APP(id, port)                                                          \
	"[[app]]\nid = \"" id "\"\nlisten = [\"h:" port "\"]\n"                \
	"upstream = [{ url = \"tcp://h:1\" }]\n"
#define CLIENT(id, serial, apps)                                               \
	"[[client]]\nid = \"" id "\"\nserials = [\"" serial "\"]\n"            \
	"apps = [" apps "]\n"

/* Each warning as "LINE:COLUMN MESSAGE\n". */
struct heard {
	char text[2048];
	size_t len;
};

static void hear(void *user, struct lbp_config_pos pos, const char *message)
{
	struct heard *heard = user;

	heard->len += (size_t)snprintf(heard->text + heard->len,
		sizeof(heard->text) - heard->len, "%u:%u %s\n", pos.line,
		pos.column, message);
}

static void expect(const char *text, const char *wanted)
{
	struct lbp_config_errors errors;
	struct heard heard = {.len = 0};
	struct lbp_config *config;

	CU_ASSERT_EQUAL_FATAL(
		lbp_config_parse(text, strlen(text), &config, &errors), LBP_OK);
	lbp_config_warn(config, hear, &heard);
	CU_ASSERT_STRING_EQUAL(heard.text, wanted);
	lbp_config_free(config);
}

static void nothing_to_say(void)
{
	expect(TLS APP("e", "1"), "");
	expect("[server]\nmax_connections = 100\n" TLS APP(
		       "e", "1") "limits = { concurrent = 100, connections = "
				 "1, window "
				 "= \"1m\" }\n",
		"");
	expect(TLS APP("e", "1") "limits = { connections = 1 }\n" CLIENT(
		       "c", "1", "\"e\"") "limits.e.window = \"2m\"\n"
					  "limits.e.concurrent = 400\n",
		"");
}

static void a_window_without_connections(void)
{
	expect(TLS APP("e", "1") "limits = { window = \"1m\" }\n",
		"9:21 app.limits.window has no effect without connections\n");
	expect(TLS APP("e", "1") "[app.limits]\nconcurrent = 3\n"
				 "window = \"1m\"\n",
		"11:10 app.limits.window has no effect without connections\n");
	expect(TLS APP("e", "1")
			CLIENT("c", "1", "\"e\"") "limits.e.window = \"2m\"\n",
		"13:19 client.limits.e.window has no effect without "
		"connections\n");
}

static void a_window_for_clients_with_a_rate(void)
{
	/* The window of the app is one of the client's, which has a rate. */
	expect(TLS APP("e", "1") "limits = { window = \"1m\" }\n" CLIENT(
		       "c", "1", "\"e\"") "limits.e.connections = 2\n",
		"");
	/* Another app's client has it. */
	expect(TLS APP("e", "1") "limits = { window = \"1m\" }\n" APP("f", "2")
			CLIENT("c", "1",
				"\"e\", \"f\"") "limits.f.connections = 2\n",
		"9:21 app.limits.window has no effect without connections\n");
}

static void each_of_several(void)
{
	expect(TLS APP("e", "1") APP(
		       "f", "2") "limits = { window = \"1m\" }\n" APP("g",
		       "3") CLIENT("c", "1",
		       "\"e\", \"g\"") "limits.g.window = \"1m\"\n" CLIENT("d",
		       "2", "\"g\"") "limits.g.window = \"1m\"\n",
		"13:21 app.limits.window has no effect without connections\n"
		"22:19 client.limits.g.window has no effect without "
		"connections\n"
		"27:19 client.limits.g.window has no effect without "
		"connections\n");
}

static void more_than_there_can_be(void)
{
	expect(TLS APP("e", "1") "limits = { concurrent = 401 }\n",
		"9:25 app.limits.concurrent has no effect above "
		"server.max_connections, which is 400\n");
	expect("[server]\nmax_connections = 9\n" TLS APP("e", "1") CLIENT("c",
		       "1", "\"e\"") "limits.e.concurrent = 10\n" CLIENT("d",
		       "2", "\"e\""),
		"15:23 client.limits.e.concurrent has no effect above "
		"server.max_connections, which is 9\n");
	/* Who overrides nothing is not told what the app was. */
	expect("[server]\nmax_connections = 9\n" TLS APP("e",
		       "1") "limits = { concurrent = 10, window = \"1s\" "
			    "}\n" CLIENT("c", "1", "\"e\"") CLIENT("d", "2",
				    "\"e\"") "limits.e.window = \"1s\"\n"
					     "limits.e.concurrent = 11\n",
		"11:25 app.limits.concurrent has no effect above "
		"server.max_connections, which is 9\n"
		"11:38 app.limits.window has no effect without connections\n"
		"21:23 client.limits.e.concurrent has no effect above "
		"server.max_connections, which is 9\n"
		"20:19 client.limits.e.window has no effect without "
		"connections\n");
}

void suite_config_warn(void)
{
	CU_pSuite suite = CU_add_suite("config_warn", NULL, NULL);

	CU_add_test(suite, "[SRV-134] limits that take effect", nothing_to_say);
	CU_add_test(suite, "[SRV-134] a window without connections",
		a_window_without_connections);
	CU_add_test(suite, "[SRV-134] the window of clients that have a rate",
		a_window_for_clients_with_a_rate);
	CU_add_test(
		suite, "[SRV-134] each app and each client", each_of_several);
	CU_add_test(suite, "[SRV-134] concurrent above max_connections",
		more_than_there_can_be);
}
