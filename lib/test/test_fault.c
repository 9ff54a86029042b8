#include <CUnit/CUnit.h>
#include <errno.h>
#include <stdbool.h>

#include "server/fault.h"
#include "suites.h"

/* Whose fault each error is: at a dial, on a socket, at accept. */
static const struct {
	int error;
	enum lbp_fault dial, socket, accept;
} faults[] = {
#define OURS LBP_FAULT_OURS
#define PEER LBP_FAULT_PEER
	{ECONNREFUSED, PEER, PEER, OURS},
	{ECONNRESET, OURS, PEER, PEER},
	{ECONNABORTED, OURS, PEER, PEER},
	{EPIPE, OURS, PEER, OURS},
	{ENOTCONN, OURS, PEER, OURS},
	{ETIMEDOUT, PEER, PEER, PEER},
	{ENETUNREACH, PEER, PEER, PEER},
	{EHOSTUNREACH, PEER, PEER, PEER},
	{EHOSTDOWN, PEER, PEER, PEER},
	{ENONET, OURS, PEER, PEER},
	{ENOPROTOOPT, OURS, PEER, PEER},
	{EOPNOTSUPP, OURS, PEER, PEER},
	{EPROTO, OURS, PEER, PEER},
	{EMSGSIZE, OURS, PEER, OURS},
	{EACCES, OURS, PEER, OURS},
	{ENETDOWN, OURS, OURS, PEER},
	{EPERM, OURS, OURS, PEER},
	{EINTR, OURS, OURS, PEER},
	/* All the others are ours wherever they come from. */
	{EADDRNOTAVAIL, OURS, OURS, OURS},
	{EADDRINUSE, OURS, OURS, OURS},
	{EAGAIN, OURS, OURS, OURS},
	{EMFILE, OURS, OURS, OURS},
	{ENFILE, OURS, OURS, OURS},
	{ENOMEM, OURS, OURS, OURS},
	{ENOBUFS, OURS, OURS, OURS},
	{ENOSPC, OURS, OURS, OURS},
	{EAFNOSUPPORT, OURS, OURS, OURS},
	{EPROTONOSUPPORT, OURS, OURS, OURS},
	{EINVAL, OURS, OURS, OURS},
	{EBADF, OURS, OURS, OURS},
	{0, OURS, OURS, OURS},
	{-1, OURS, OURS, OURS},
};

#define COUNT (sizeof(faults) / sizeof(faults[0]))

/* Of a dial and a socket, those that are this one's. */
static void errors_are(enum lbp_fault whose)
{
	for (size_t i = 0; i < COUNT; i++) {
		if (faults[i].dial == whose)
			CU_ASSERT_EQUAL(
				lbp_fault_of_dial(faults[i].error), whose);
		if (faults[i].socket == whose)
			CU_ASSERT_EQUAL(
				lbp_fault_of_socket(faults[i].error), whose);
	}
}

static void some_errors_are_the_peers(void)
{
	errors_are(PEER);
}

static void all_others_are_ours(void)
{
	errors_are(OURS);
}

static void an_error_of_accept_may_be_the_connections(void)
{
	for (size_t i = 0; i < COUNT; i++)
		CU_ASSERT_EQUAL(
			lbp_fault_of_accept(faults[i].error), faults[i].accept);
}

static bool is_listed(int error)
{
	for (size_t i = 0; i < COUNT; i++) {
		if (faults[i].error == error)
			return true;
	}
	return false;
}

static void unknown_errors_are_ours(void)
{
	for (int error = 0; error < 300; error++) {
		if (is_listed(error))
			continue;
		CU_ASSERT_EQUAL(lbp_fault_of_dial(error), OURS);
		CU_ASSERT_EQUAL(lbp_fault_of_socket(error), OURS);
		CU_ASSERT_EQUAL(lbp_fault_of_accept(error), OURS);
	}
}

static void errors_at_a_path(void)
{
	static const int peers[] = {ECONNREFUSED, EAGAIN, ENOENT, ENOTDIR,
		ELOOP, EACCES, EPROTOTYPE};
	const int len = sizeof(peers) / sizeof(peers[0]);

	for (int error = -1; error < 200; error++) {
		enum lbp_fault want = OURS;

		for (int i = 0; i < len; i++) {
			if (peers[i] == error)
				want = PEER;
		}
		CU_ASSERT_EQUAL(lbp_fault_of_path(error), want);
	}
}

void suite_fault(void)
{
	CU_pSuite suite = CU_add_suite("fault", NULL, NULL);

	CU_add_test(suite, "[SRV-90] some errors are the peer's",
		some_errors_are_the_peers);
	CU_add_test(
		suite, "[SRV-109] all others are ours", all_others_are_ours);
	CU_add_test(suite,
		"[SRV-111] an error of accept may be the connection's",
		an_error_of_accept_may_be_the_connections);
	CU_add_test(suite, "[SRV-109] unknown errors are ours",
		unknown_errors_are_ours);
	CU_add_test(suite, "[SRV-195] errors at a path", errors_at_a_path);
}
