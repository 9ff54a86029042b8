/*
 * Whose fault it is that a socket call failed. What the network or the peer
 * answered counts against the peer; everything else is our own trouble, and
 * says nothing about anybody. Source: SPEC.md [SRV-90].
 */
#ifndef LBP_FAULT_H
#define LBP_FAULT_H

enum lbp_fault {
	LBP_FAULT_OURS,
	LBP_FAULT_PEER,
};

/* For socket, and for connect if it fails at once: no packet was sent. */
enum lbp_fault lbp_fault_of_dial(int error);

/* The same for a socket with a path. Source: [SRV-195]. */
enum lbp_fault lbp_fault_of_path(int error);

/* For SO_ERROR, and for recv and send unless they can be retried. */
enum lbp_fault lbp_fault_of_socket(int error);

/*
 * For accept. LBP_FAULT_PEER: only the connection that would have been accepted
 * failed, and accepting the next one may succeed.
 */
enum lbp_fault lbp_fault_of_accept(int error);

#endif
