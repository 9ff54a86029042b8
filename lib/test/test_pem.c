#include <CUnit/CUnit.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "server/pem.h"
#include "suites.h"

#define BEGIN "-----BEGIN X-----\n"
#define END   "-----END X-----\n"

/* Reads a text that a tool can see the ends of. */
struct reading {
	struct lbp_pem pem;
	struct lbp_pem_block block;
	char *text;
	uint8_t *out;
};

static void start(struct reading *reading, const char *text, size_t len)
{
	reading->text = malloc(len + 1);
	reading->out = malloc(len + 1);
	memcpy(reading->text, text, len);
	memset(reading->out, 0x5a, len + 1);
	lbp_pem_init(&reading->pem, reading->text, len);
}

static enum lbp_pem_found next(struct reading *reading)
{
	return lbp_pem_next(&reading->pem, &reading->block, reading->out);
}

static void end(struct reading *reading)
{
	free(reading->text);
	free(reading->out);
}

/* One block, and nothing after it. */
static void expect_block(const char *text, enum lbp_pem_kind kind,
	uint32_t line, const char *out)
{
	struct reading r;
	size_t len = strlen(out);

	start(&r, text, strlen(text));
	CU_ASSERT_EQUAL(next(&r), LBP_PEM_BLOCK);
	CU_ASSERT_EQUAL(r.block.kind, kind);
	CU_ASSERT_EQUAL(r.block.line, line);
	CU_ASSERT_EQUAL(r.block.len, len);
	CU_ASSERT_EQUAL(memcmp(r.out, out, len), 0);
	CU_ASSERT_EQUAL(r.out[len], 0x5a);
	CU_ASSERT_EQUAL(next(&r), LBP_PEM_END);
	end(&r);
}

static void expect_fault_of(
	const char *text, size_t len, uint32_t line, const char *fault)
{
	struct reading r;
	enum lbp_pem_found found;

	start(&r, text, len);
	while ((found = next(&r)) == LBP_PEM_BLOCK)
		continue;
	CU_ASSERT_EQUAL(found, LBP_PEM_FAULT);
	CU_ASSERT_EQUAL(r.pem.line, line);
	CU_ASSERT_STRING_EQUAL(r.pem.fault, fault);
	end(&r);
}

static void expect_fault(const char *text, uint32_t line, const char *fault)
{
	expect_fault_of(text, strlen(text), line, fault);
}

static void expect_none(const char *text)
{
	struct reading r;

	start(&r, text, strlen(text));
	CU_ASSERT_EQUAL(next(&r), LBP_PEM_END);
	end(&r);
}

static void each_digit_is_decoded(void)
{
	static const char text[] =
		BEGIN "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		      "0123456789+/\n" END;
	static const uint8_t want[] = {0x00, 0x10, 0x83, 0x10, 0x51, 0x87, 0x20,
		0x92, 0x8b, 0x30, 0xd3, 0x8f, 0x41, 0x14, 0x93, 0x51, 0x55,
		0x97, 0x61, 0x96, 0x9b, 0x71, 0xd7, 0x9f, 0x82, 0x18, 0xa3,
		0x92, 0x59, 0xa7, 0xa2, 0x9a, 0xab, 0xb2, 0xdb, 0xaf, 0xc3,
		0x1c, 0xb3, 0xd3, 0x5d, 0xb7, 0xe3, 0x9e, 0xbb, 0xf3, 0xdf,
		0xbf};
	struct reading r;

	start(&r, text, strlen(text));
	CU_ASSERT_EQUAL(next(&r), LBP_PEM_BLOCK);
	CU_ASSERT_EQUAL_FATAL(r.block.len, sizeof(want));
	CU_ASSERT_EQUAL(memcmp(r.out, want, sizeof(want)), 0);
	end(&r);
}

static void blocks_are_found(void)
{
	struct reading r;
	const char *text = "one\n" BEGIN "YWJj\n" END "two\n\n"
			   "-----BEGIN YZ-----\nZA==\n-----END YZ-----";

	start(&r, text, strlen(text));
	CU_ASSERT_EQUAL(next(&r), LBP_PEM_BLOCK);
	CU_ASSERT_EQUAL(r.block.line, 2);
	CU_ASSERT_EQUAL(r.block.label_len, 1);
	CU_ASSERT_EQUAL(memcmp(r.block.label, "X", 1), 0);
	CU_ASSERT_EQUAL(r.block.len, 3);
	CU_ASSERT_EQUAL(memcmp(r.out, "abc", 3), 0);
	CU_ASSERT_EQUAL(next(&r), LBP_PEM_BLOCK);
	CU_ASSERT_EQUAL(r.block.line, 7);
	CU_ASSERT_EQUAL(r.block.label_len, 2);
	CU_ASSERT_EQUAL(memcmp(r.block.label, "YZ", 2), 0);
	CU_ASSERT_EQUAL(r.block.len, 1);
	CU_ASSERT_EQUAL(memcmp(r.out, "d", 1), 0);
	CU_ASSERT_EQUAL(next(&r), LBP_PEM_END);
	CU_ASSERT_EQUAL(next(&r), LBP_PEM_END);
	end(&r);
}

static void a_mark_alone(void)
{
	struct reading r;

	start(&r, "\xef\xbb\xbf", 3);
	CU_ASSERT_EQUAL(next(&r), LBP_PEM_END);
	CU_ASSERT_EQUAL(r.pem.line, 0);
	end(&r);
	start(&r, "\xef\xbb", 2);
	CU_ASSERT_EQUAL(next(&r), LBP_PEM_END);
	CU_ASSERT_EQUAL(r.pem.line, 1);
	end(&r);
}

static void forms_that_are_accepted(void)
{
	a_mark_alone();
	expect_none("");
	expect_none("free text\n----------\n--- a title ---\nBEGIN\n");
	expect_none("-");
	expect_block(BEGIN "YWJjZA==\n" END, LBP_PEM_OTHER, 1, "abcd");
	expect_block(BEGIN "YWJjZGU=\n" END, LBP_PEM_OTHER, 1, "abcde");
	expect_block(BEGIN "YWJjZGVm\n" END, LBP_PEM_OTHER, 1, "abcdef");
	expect_block("-----BEGIN X-----\r\nYWJj\r\n-----END X-----\r\n",
		LBP_PEM_OTHER, 1, "abc");
	expect_block("-----BEGIN X----- \t\n\n Y W\t\nJj \n\n-----END X----- ",
		LBP_PEM_OTHER, 1, "abc");
	expect_block(
		"\xef\xbb\xbf" BEGIN "YWJj\n" END, LBP_PEM_OTHER, 1, "abc");
	expect_block(BEGIN "A: b\nC: d\n\nYWJj\n" END, LBP_PEM_OTHER, 1, "abc");
	expect_block(
		BEGIN "A: b\nx\nC: d\n\nYWJj\n" END, LBP_PEM_OTHER, 1, "abc");
	expect_block(BEGIN "/+z9\n" END, LBP_PEM_OTHER, 1, "\xff\xec\xfd");
	expect_block(BEGIN "09Az\n" END, LBP_PEM_OTHER, 1, "\xd3\xd0\x33");
	expect_block(BEGIN "aZZa\n" END, LBP_PEM_OTHER, 1, "\x69\x96\x5a");
}

static void a_marker_that_is_damaged(void)
{
	static const char *const bad[] = {
		"----BEGIN X-----",
		"-----BEGIN X----",
		"-----BEGIN X",
		"-----BEGIN -----",
		"-----BEGIN-----",
		"-----BEGINX-----",
		" -----BEGIN X-----",
		"a-----BEGIN X-----",
		"-----BEGIN X-----a",
		"-----BEGIN X-----Y-----",
		"---- BEGIN X ----",
		"-----END X----",
		" -----END X-----",
		"- END",
		"-END",
		"- BEGIN",
		"-----BEGIN X-----YWJj-----END X-----",
		"-----BEGIN X-----\rYWJj\r-----END X-----\r",
	};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect_fault(bad[i], 1, "a BEGIN or END line is damaged");
	expect_fault(BEGIN "YWJj\n-----END X----", 3,
		"a BEGIN or END line is damaged");
	expect_fault("\xef\xbb\xbf\xef\xbb\xbf" BEGIN, 1,
		"a BEGIN or END line is damaged");
	expect_fault("\n" END, 2, "END without BEGIN");
	expect_fault("-----END ------", 1, "END without BEGIN");
}

/* The fault in the last line of what stands between BEGIN and END. */
static void expect_damage(const char *body, bool at_end, const char *fault)
{
	char text[128] = BEGIN;
	uint32_t line = strchr(body, '\n') != NULL ? 3 : 2;

	strcat(strcat(strcat(text, body), "\n"), END);
	expect_fault(text, line + at_end, fault);
}

static void a_block_that_is_damaged(void)
{
	static const char *const cut[] = {
		"YWJ", "YW", "Y", "YWJj\nY", "YWJjYQ", "YW="};
	static const char *const garbage[] = {"YWJj*", "Y===", "=",
		"====", "YQ==YQ==", "YQ=a", "YW-j", "YWJj.",
		"YWJj=", "YQ==\n=", "YR==", "YWK=", "YWI=a",
		"Y\x80==", "YB==", "YWJj\nA: b", "Y=="};
	size_t i;

	for (i = 0; i < sizeof(cut) / sizeof(cut[0]); i++)
		expect_damage(cut[i], true, "the base64 ends too early");
	for (i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++)
		expect_damage(garbage[i], false, "a character is not base64");
}

static void a_block_without_its_end(void)
{
	expect_fault("\n" BEGIN "YWJj\nYWJj\n", 2, "the block has no END line");
	expect_fault(BEGIN, 1, "the block has no END line");
	expect_fault(BEGIN "A: b\nC: d\n", 1, "the block has no END line");
	expect_fault(BEGIN END, 2, "nothing stands between BEGIN and END");
	expect_fault(BEGIN "A: b\n\n" END, 4,
		"nothing stands between BEGIN and END");
	expect_fault(BEGIN "YWJj\n-----END Y-----\n", 3,
		"END has another label than BEGIN");
	expect_fault(BEGIN "YWJj\n-----END XX-----\n", 3,
		"END has another label than BEGIN");
	expect_fault(BEGIN "YWJj\n" BEGIN, 3,
		"a block begins inside another one, whose END is missing");
	expect_fault(
		BEGIN "YWJj\n" END BEGIN "YW", 4, "the block has no END line");
}

static void a_nul_byte(void)
{
	static const char text[] = "a\nb\0\n" BEGIN "YWJj\n" END;
	static const char last[] = BEGIN "YWJj\n" END "\0";
	static const char inside[] = BEGIN "YW\0Jj\n" END;

	expect_fault_of(
		text, sizeof(text) - 1, 2, "a NUL byte: this is not text");
	expect_fault_of(
		last, sizeof(last) - 1, 4, "a NUL byte: this is not text");
	expect_fault_of(
		inside, sizeof(inside) - 1, 2, "a character is not base64");
}

static void kinds_by_their_labels(void)
{
	static const struct {
		const char *label;
		enum lbp_pem_kind kind;
		const char *text;
	} all[] = {
		{"CERTIFICATE", LBP_PEM_CERTIFICATE, "a certificate"},
		{"X509 CERTIFICATE", LBP_PEM_CERTIFICATE, "a certificate"},
		{"TRUSTED CERTIFICATE", LBP_PEM_TRUSTED,
			"a certificate with trust settings"},
		{"X509 CRL", LBP_PEM_CRL, "a revocation list"},
		{"PRIVATE KEY", LBP_PEM_KEY, "a private key"},
		{"RSA PRIVATE KEY", LBP_PEM_RSA_KEY, "an RSA private key"},
		{"EC PRIVATE KEY", LBP_PEM_EC_KEY, "an EC private key"},
		{"DSA PRIVATE KEY", LBP_PEM_DSA_KEY, "a DSA private key"},
		{"ENCRYPTED PRIVATE KEY", LBP_PEM_ENCRYPTED_KEY,
			"an encrypted private key"},
		{"OPENSSH PRIVATE KEY", LBP_PEM_OPENSSH_KEY,
			"a private key in OpenSSH's format"},
		{"EC PARAMETERS", LBP_PEM_EC_PARAMETERS, "EC parameters"},
		{"DH PARAMETERS", LBP_PEM_DH_PARAMETERS, "DH parameters"},
		{"X9.42 DH PARAMETERS", LBP_PEM_DH_PARAMETERS, "DH parameters"},
		{"PUBLIC KEY", LBP_PEM_PUBLIC_KEY, "a public key"},
		{"RSA PUBLIC KEY", LBP_PEM_PUBLIC_KEY, "a public key"},
		{"CERTIFICATE REQUEST", LBP_PEM_REQUEST,
			"a certificate request"},
		{"NEW CERTIFICATE REQUEST", LBP_PEM_REQUEST,
			"a certificate request"},
		{"PKCS7", LBP_PEM_PKCS7, "a PKCS#7 bundle"},
		{"CMS", LBP_PEM_PKCS7, "a PKCS#7 bundle"},
		{"certificate", LBP_PEM_OTHER, "an unknown block"},
		{"KEY", LBP_PEM_OTHER, "an unknown block"},
	};
	char text[128];
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		strcat(strcpy(text, "-----BEGIN "), all[i].label);
		strcat(strcat(text, "-----\nYWJj\n-----END "), all[i].label);
		strcat(text, "-----\n");
		expect_block(text, all[i].kind, 1, "abc");
		CU_ASSERT_STRING_EQUAL(
			lbp_pem_kind_text(all[i].kind), all[i].text);
	}
	CU_ASSERT_STRING_EQUAL(
		lbp_pem_kind_text(LBP_PEM_PKCS7 + 1), "an unknown block");
}

static void an_encrypted_key(void)
{
	expect_block("-----BEGIN RSA PRIVATE KEY-----\n"
		     "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n"
		     "YWJj\n-----END RSA PRIVATE KEY-----\n",
		LBP_PEM_ENCRYPTED_KEY, 1, "abc");
	expect_block("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,MIC\n\n"
		     "YWJj\n-----END RSA PRIVATE KEY-----\n",
		LBP_PEM_RSA_KEY, 1, "abc");
}

void suite_pem(void)
{
	CU_pSuite suite = CU_add_suite("pem", NULL, NULL);

	CU_add_test(suite, "[SRV-119] each block is found, with text around it",
		blocks_are_found);
	CU_add_test(
		suite, "[SRV-121] forms of blocks", forms_that_are_accepted);
	CU_add_test(suite, "[SRV-120] a damaged BEGIN or END is no free text",
		a_marker_that_is_damaged);
	CU_add_test(suite, "[SRV-120] each digit of base64 is decoded",
		each_digit_is_decoded);
	CU_add_test(suite, "[SRV-120] damaged base64 is a fault at its line",
		a_block_that_is_damaged);
	CU_add_test(suite, "[SRV-120] a block that does not end is a fault",
		a_block_without_its_end);
	CU_add_test(suite, "[SRV-120] NUL bytes are not text", a_nul_byte);
	CU_add_test(suite, "[SRV-73][SRV-123] each label has its kind",
		kinds_by_their_labels);
	CU_add_test(suite, "[SRV-124] encrypted keys are told by their headers",
		an_encrypted_key);
}
