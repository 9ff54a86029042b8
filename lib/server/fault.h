/*
 * Whose fault is it that a call of a socket failed? What the network or the
 * peer answered counts against the peer; everything else is our own trouble,
 * which says nothing about anybody. Source: SPEC.md [SRV-90].
 */
#ifndef LBP_FAULT_H
#define LBP_FAULT_H

enum lbp_fault {
	LBP_FAULT_OURS,
	LBP_FAULT_PEER,
};

/* Of socket, and of connect where it fails at once: no packet was sent. */
enum lbp_fault lbp_fault_of_dial(int error);

/*
 * Of what a connection came to later: SO_ERROR, and recv and send where they
 * are not to be tried again.
 */
enum lbp_fault lbp_fault_of_socket(int error);

/*
 * Of accept: the peer's is an error of the one connection that would have
 * been accepted, and the next one may do.
 */
enum lbp_fault lbp_fault_of_accept(int error);

#endif
