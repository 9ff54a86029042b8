/* A mistake is reported once: what only follows from it is left out. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "server/config.h"
#include "suites.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define TLS         "[tls]\ncertificate='c'\nprivate_key='k'\nclient_ca='a'\n"
#define APP(id, at) "[[app]]\nid='" id "'\nlisten=['h:" at "']\n" UP
#define UP          "[[app.upstream]]\nurl='tcp://h:1'\n"
#define ECHO        APP("echo", "1")
#define MAIL        APP("mail", "2")
#define CLIENT      "[[client]]\nid='c'\nserials=['1']\n"

/* The errors that a text must give: the beginning of each, in their order. */
struct mistake {
	const char *text;
	const char *wanted[4];
};

static void gives(const struct mistake *mistake)
{
	struct lbp_config_errors errors;
	struct lbp_config *config;
	size_t len = 0;

	while (len < COUNT(mistake->wanted) && mistake->wanted[len] != NULL)
		len++;
	CU_ASSERT_EQUAL(lbp_config_parse(mistake->text, strlen(mistake->text),
				&config, &errors),
		LBP_ERR_SYNTAX);
	CU_ASSERT_EQUAL(errors.len, len);
	for (size_t i = 0; i < errors.len; i++) {
		const char *message = errors.items[i].message;
		const char *want = i < len ? mistake->wanted[i] : "nothing";
		bool same = strncmp(message, want, strlen(want)) == 0;

		CU_ASSERT_TRUE(same);
		if (!same)
			(void)printf("\n%s\nof\n%s\n", message, mistake->text);
	}
	lbp_config_errors_release(&errors);
}

static void give(const struct mistake *mistakes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		gives(&mistakes[i]);
}

static void misspelt_keys(void)
{
	static const struct mistake mistakes[] = {
		{"[tls]\ncertificat='c'\nprivate_key='k'\nclient_ca='a'\n" ECHO,
			{"unknown key 'tls.certificat'; did you mean"}},
		{"[tsl]\ncertificate='c'\n" ECHO,
			{"unknown key 'tsl'; did you mean 'tls'?"}},
		{TLS "[[apps]]\nid='echo'\n" CLIENT "apps=['echo']\n",
			{"unknown key 'apps'; did you mean 'app'?"}},
		{TLS "[[app]]\nid='e'\nlistn=['h:1']\n" UP,
			{"unknown key 'app.listn'; did you mean 'listen'?"}},
		{TLS "[[app]]\nid='e'\nlisten=['h:1']\n"
		     "[[app.upstreams]]\nurl='tcp://h:1'\n",
			{"unknown key 'app.upstreams'; did you mean"}},
		{TLS ECHO CLIENT "app=['echo']\nlimits.echo.concurrent=1\n",
			{"unknown key 'client.app'; did you mean 'apps'?"}},
		{TLS ECHO "[[client]]\nid='c'\nserial=['1']\napps=['echo']\n",
			{"unknown key 'client.serial'; did you mean"}},
		/* What it was taken for may be there; something else is not. */
		{TLS ECHO CLIENT "apps=['echo']\napp=['echo']\n",
			{"unknown key 'client.app'; did you mean 'apps'?"}},
		{"[tls]\ncertificat='c'\nclient_ca='a'\n" ECHO,
			{"tls.private_key is required",
				"unknown key 'tls.certificat'; did you mean"}},
		{"[tls]\ncert='c'\nprivate_key='k'\nclient_ca='a'\n" ECHO,
			{"tls.certificate is required",
				"unknown key 'tls.cert'; accepted"}},
	};

	give(mistakes, COUNT(mistakes));
}

#define TLS_UP(keys)                                                           \
	TLS "[[app]]\nid='e'\nlisten=['h:1']\n[[app.upstream]]\n" keys

static void misspelt_keys_of_upstreams(void)
{
	static const struct mistake mistakes[] = {
		{TLS_UP("url='tls://h:1'\ncaa='a'\n"),
			{"unknown key 'app.upstream.caa'; did you mean 'ca'?"}},
		{TLS_UP("url='tls://h:1'\nca=1\n"),
			{"app.upstream.ca must be"}},
		{TLS_UP("ulr='tls://h:1'\nca='a'\n"),
			{"unknown key 'app.upstream.ulr'; did you mean"}},
		{TLS_UP("url='tsl://h:1'\ncertificate='c'\n"),
			{"app.upstream.url must be"}},
		{TLS_UP("url='tls://h:1'\nca='a'\ncertificate='c'\n"
			"private_ky='k'\n"),
			{"unknown key 'app.upstream.private_ky'; did you"}},
		{TLS_UP("url='tls://h:1'\nca='a'\ncertificat='c'\n"
			"private_key='k'\n"),
			{"unknown key 'app.upstream.certificat'; did you"}},
		{TLS_UP("url='tls://h:1'\nca='a'\ncertificate='c'\n"
			"wieght=1\n"),
			{"app.upstream.certificate must come with",
				"unknown key 'app.upstream.wieght'; did you"}},
		{TLS_UP("url='tls://h:1'\nca='a'\nprivate_key='c'\n"
			"wieght=1\n"),
			{"app.upstream.private_key must come with",
				"unknown key 'app.upstream.wieght'; did you"}},
	};

	give(mistakes, COUNT(mistakes));
}

static void wrong_ids(void)
{
	static const struct mistake mistakes[] = {
		/* None of an app, one that is none, a wrong one, twice. */
		{TLS "[[app]]\nlisten=['h:1']\n" UP CLIENT "apps=['echo']\n",
			{"app.id is required"}},
		{TLS "[[app]]\nid=1\nlisten=['h:1']\n" UP CLIENT
		     "apps=['echo']\nlimits.echo.concurrent=1\n",
			{"app.id must be"}},
		{TLS APP("ec ho", "1") CLIENT "apps=['echo', 'ec ho']\n",
			{"app.id must be"}},
		{TLS ECHO APP("echo", "2") CLIENT "apps=['mail']\n",
			{"app.id 'echo' is already on line 6"}},
		{TLS "[[app]]\nidd='echo'\nlisten=['h:1']\n" UP CLIENT
		     "apps=['echo']\n",
			{"unknown key 'app.idd'; did you mean 'id'?"}},
		/* No apps at all. */
		{TLS CLIENT "apps=['echo']\n", {"app is required"}},
		{"app=1\n" TLS CLIENT "apps=['echo']\n", {"app must be"}},
		{"app=[]\n" TLS CLIENT "apps=['echo']\n", {"app must be"}},
		{"app=[1]\n" TLS CLIENT "apps=['echo']\n", {"app must be"}},
	};

	give(mistakes, COUNT(mistakes));
}

static void wrong_values(void)
{
	static const struct mistake mistakes[] = {
		{TLS APP("e o", "1") APP("e o", "2"),
			{"app.id must be", "app.id must be"}},
		{TLS ECHO CLIENT "apps=['echo']\n[[client]]\nid=''\n"
				 "serials=['2']\napps=['echo']\n[[client]]\n"
				 "id=''\nserials=['3']\napps=['echo']\n",
			{"client.id must be", "client.id must be"}},
	};

	give(mistakes, COUNT(mistakes));
}

static void values_that_are_there_twice(void)
{
	static const struct mistake mistakes[] = {
		{TLS ECHO CLIENT "apps=['echo', 'echo']\n",
			{"client.apps 'echo' is already on line 13"}},
	};

	give(mistakes, COUNT(mistakes));
}

static void unknown_apps(void)
{
	static const struct mistake mistakes[] = {
		{TLS ECHO CLIENT "apps=['ecoh', 'ecoh']\n",
			{"client.apps: no app has the id 'ecoh'",
				"client.apps: no app has the id 'ecoh'"}},
	};

	give(mistakes, COUNT(mistakes));
}

static void limits_of_wrong_apps(void)
{
	static const struct mistake mistakes[] = {
		{TLS ECHO CLIENT "apps=['ecoh']\nlimits.echo.concurrent=1\n",
			{"client.apps: no app has the id 'ecoh'"}},
		{TLS ECHO CLIENT "apps=['ecoh']\nlimits.ecoh.concurrent=1\n",
			{"client.apps: no app has the id 'ecoh'"}},
		{TLS ECHO CLIENT "apps=['ecoh']\nlimits.x.concurrent=1\n",
			{"client.apps: no app has the id 'ecoh'"}},
		{TLS ECHO MAIL CLIENT
			"apps=['echo', 'mial']\nlimits.mail.concurrent=1\n",
			{"client.apps: no app has the id 'mial'"}},
		{TLS ECHO MAIL CLIENT
			"apps=['echo', 'mial']\nlimits.mial.concurrent=1\n",
			{"client.apps: no app has the id 'mial'"}},
		{TLS ECHO MAIL CLIENT
			"apps=['echo', 1]\nlimits.mail.concurrent=1\n",
			{"client.apps must be"}},
		{TLS ECHO CLIENT "apps='echo'\nlimits.echo.concurrent=1\n",
			{"client.apps must be"}},
		{TLS ECHO CLIENT "apps=[]\nlimits.echo.concurrent=1\n",
			{"client.apps must be"}},
		{TLS ECHO CLIENT "limits.echo.concurrent=1\n",
			{"client.apps is required"}},
		{TLS ECHO APP("m l", "2") CLIENT
			"apps=['echo', 'mail']\nlimits.mail.concurrent=1\n"
			"limits.x.concurrent=1\n",
			{"app.id must be"}},
		{TLS ECHO CLIENT "apps=['echo', 'zoo', 'mob', 'ant']\n"
				 "limits={zoo={}, mob={}, ant={}, echo={}}\n",
			{"client.apps: no app has the id 'zoo'",
				"client.apps: no app has the id 'mob'",
				"client.apps: no app has the id 'ant'"}},
		/* There is no app that could have a rate. */
		{TLS CLIENT "apps=['echo']\n"
			    "limits.echo={connections=1, window='1s'}\n",
			{"app is required"}},
		/* What is wrong inside them does not follow. */
		{TLS ECHO CLIENT "apps=['ecoh']\nlimits.echo.concurrent=0\n",
			{"client.apps: no app has the id 'ecoh'",
				"client.limits.echo.concurrent must be"}},
	};

	give(mistakes, COUNT(mistakes));
}

static void limits_of_no_app(void)
{
	static const struct mistake mistakes[] = {
		{TLS ECHO MAIL CLIENT
			"apps=['echo', 'mial']\nlimits.x.concurrent=1\n",
			{"client.apps: no app has the id 'mial'",
				"client.limits: 'x' is not one of this "
				"client's apps; accepted: echo"}},
		{TLS ECHO MAIL CLIENT "apps=['echo']\nlimits.mail={}\n",
			{"client.limits: 'mail' is not one of this client's "
			 "apps; accepted: echo"}},
		/* The client after that has a list of its own. */
		{TLS ECHO MAIL CLIENT
			"apps=['ecoh']\n[[client]]\nid='d'\nserials=['2']\n"
			"apps=['echo']\nlimits.ecoh.concurrent=1\n",
			{"client.apps: no app has the id 'ecoh'",
				"client.limits: 'ecoh' is not one of"}},
		{TLS ECHO CLIENT
			"apps=['zoo']\n[[client]]\nid='d'\nserials=['2']\n"
			"apps=['echo', 'mob']\nlimits={zoo={}, mob={}}\n",
			{"client.apps: no app has the id 'zoo'",
				"client.apps: no app has the id 'mob'",
				"client.limits: 'zoo' is not one of"}},
		{TLS ECHO MAIL CLIENT
			"apps=['echo']\n[[client]]\nid='d'\nserials=['2']\n"
			"limits.x.concurrent=1\n",
			{"client.apps is required"}},
	};

	give(mistakes, COUNT(mistakes));
}

static void limits_without_an_app(void)
{
	static const struct mistake mistakes[] = {
		{TLS ECHO CLIENT "apps=['echo']\nlimits={concurrent=1}\n",
			{"client.limits must be a table for each app"}},
	};

	give(mistakes, COUNT(mistakes));
}

void suite_config_follow(void)
{
	CU_pSuite suite = CU_add_suite("config_follow", NULL, NULL);

	CU_add_test(suite, "[CFG-33] a misspelt key is not missing too",
		misspelt_keys);
	CU_add_test(suite, "[CFG-28][CFG-33] nor is one of an upstream",
		misspelt_keys_of_upstreams);
	CU_add_test(suite, "[CFG-47] wrong ids of apps", wrong_ids);
	CU_add_test(
		suite, "[CFG-46] values that are wrong twice", wrong_values);
	CU_add_test(suite, "[CFG-14] values that are there twice",
		values_that_are_there_twice);
	CU_add_test(suite, "[CFG-31] unknown apps", unknown_apps);
	CU_add_test(
		suite, "[CFG-48] limits of wrong apps", limits_of_wrong_apps);
	CU_add_test(suite, "[CFG-31] limits of no app", limits_of_no_app);
	CU_add_test(
		suite, "[CFG-49] limits without an app", limits_without_an_app);
}
