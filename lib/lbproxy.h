/*
 * lbproxy: the load balancer as a library. Pure logic: no IO, no clock, no
 * threads, no global state. Start with app.h, an application made from an id
 * and its upstreams, and session.h, a connection submitted to it.
 */
#ifndef LBPROXY_H
#define LBPROXY_H

#define LBP_VERSION "0.1.0"

#include "acl.h"
#include "app.h"
#include "base.h"
#include "bounds.h"
#include "checks.h"
#include "duty.h"
#include "err.h"
#include "event.h"
#include "flow.h"
#include "health.h"
#include "limiter.h"
#include "name.h"
#include "outcome.h"
#include "pipe.h"
#include "pipe_end.h"
#include "reason.h"
#include "relay.h"
#include "relay_io.h"
#include "reload.h"
#include "serial.h"
#include "session.h"
#include "timers.h"
#include "tried.h"
#include "upstreams.h"

#endif
