/* Which TLS sessions are resumed, and until when. */
#ifndef TLS_RESUME_H
#define TLS_RESUME_H

#include "tls.h"

/* Puts the server's cache into its context. [SRV-68]. */
void tls_resume_install(struct tls_server *server);

/* Prepares a connection, whose handshake may resume a session. */
void tls_resume_begin(struct tls *tls, struct tls_server *server);

/* To be called once the handshake is complete. */
void tls_resume_handshaken(struct tls *tls);

/* Sends a ticket that is owed along with the bytes that follow. [SRV-71]. */
void tls_resume_send_ticket(struct tls *tls);

#endif
