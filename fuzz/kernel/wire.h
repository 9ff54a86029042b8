/*
 * What the made-up TLS puts on the wire: records of a type, two bytes of
 * length, the high one first, and a payload.
 *
 * A handshake: the client's HELLO, whose payload is the list of protocols that
 * it offers (ALPN), if it offers any, the server's HELLO, whose payload says
 * whether its certificate is any good (0) or not, of the CA "ca.pem", the
 * client's CERTIFICATE,
 * whose payload is a verdict (enum lbp_reason; 0: good), the length of a
 * serial, the serial, and a URI, if there is more; or nothing; and the server's
 * FINISHED. A server that is an upstream asks for no certificate: it gets a
 * FINISHED after its HELLO.
 */
#ifndef LBP_FUZZ_KERNEL_WIRE_H
#define LBP_FUZZ_KERNEL_WIRE_H

/* This much more than a serial is that of its renewal. */
#define WIRE_RENEWED     64
#define WIRE_HEADER      3
#define WIRE_PAYLOAD_MAX 1024
#define WIRE_RECORD_MAX  (WIRE_HEADER + WIRE_PAYLOAD_MAX)

enum wire_type {
	WIRE_HELLO = 1,
	WIRE_CERTIFICATE,
	WIRE_FINISHED,
	WIRE_DATA,
	WIRE_CLOSE,
	WIRE_ALERT,
	WIRE_NOTHING, /* a record without data */
	WIRE_UPDATE,  /* to be answered with WIRE_NOTHING */
};

#endif
