/*
 * Put before the server's own sources (-include), when they are compiled for
 * the simulation of the whole server: what they ask of the system and of its
 * C library goes to the made-up kernel. The code is the server's, unchanged.
 */
#ifndef HOOKS_H
#define HOOKS_H

#include <stdatomic.h>

#pragma redefine_extname accept4 kernel_accept4
#pragma redefine_extname bind kernel_bind
#pragma redefine_extname close kernel_close
#pragma redefine_extname closedir kernel_closedir
#pragma redefine_extname connect kernel_connect
#pragma redefine_extname epoll_create1 kernel_epoll_create1
#pragma redefine_extname epoll_ctl kernel_epoll_ctl
#pragma redefine_extname epoll_wait kernel_epoll_wait
#pragma redefine_extname eventfd kernel_eventfd
#pragma redefine_extname fcntl kernel_fcntl
#pragma redefine_extname fstat kernel_fstat
#pragma redefine_extname ftruncate kernel_ftruncate
#pragma redefine_extname getenv kernel_getenv
#pragma redefine_extname getpeername kernel_getpeername
#pragma redefine_extname getrandom kernel_getrandom
#pragma redefine_extname getrlimit kernel_getrlimit
#pragma redefine_extname getsockname kernel_getsockname
#pragma redefine_extname getsockopt kernel_getsockopt
#pragma redefine_extname ioctl kernel_ioctl
#pragma redefine_extname isatty kernel_isatty
#pragma redefine_extname listen kernel_listen
#pragma redefine_extname lseek kernel_lseek
#pragma redefine_extname open kernel_open
#pragma redefine_extname openat kernel_openat
#pragma redefine_extname opendir kernel_opendir
#pragma redefine_extname poll kernel_poll
#pragma redefine_extname pread kernel_pread
#pragma redefine_extname read kernel_read
#pragma redefine_extname recv kernel_recv
#pragma redefine_extname select kernel_select
#pragma redefine_extname send kernel_send
#pragma redefine_extname setrlimit kernel_setrlimit
#pragma redefine_extname setsockopt kernel_setsockopt
#pragma redefine_extname shutdown kernel_shutdown
#pragma redefine_extname socket kernel_socket
#pragma redefine_extname write kernel_write

#pragma redefine_extname fprintf kernel_fprintf
#pragma redefine_extname fputc kernel_fputc
#pragma redefine_extname vfprintf kernel_vfprintf

#pragma redefine_extname freeaddrinfo kernel_freeaddrinfo
#pragma redefine_extname getaddrinfo kernel_getaddrinfo

#pragma redefine_extname clock_gettime kernel_clock_gettime
#pragma redefine_extname time kernel_time
#pragma redefine_extname sigaction kernel_sigaction
#pragma redefine_extname sigprocmask kernel_sigprocmask

#pragma redefine_extname pthread_cond_broadcast kernel_cond_signal
#pragma redefine_extname pthread_cond_destroy kernel_cond_destroy
#pragma redefine_extname pthread_cond_init kernel_cond_init
#pragma redefine_extname pthread_cond_signal kernel_cond_signal
#pragma redefine_extname pthread_cond_timedwait kernel_cond_timedwait
#pragma redefine_extname pthread_cond_wait kernel_cond_wait
#pragma redefine_extname pthread_create kernel_thread_create
#pragma redefine_extname pthread_detach kernel_thread_detach
#pragma redefine_extname pthread_join kernel_thread_join
#pragma redefine_extname pthread_mutex_destroy kernel_mutex_destroy
#pragma redefine_extname pthread_mutex_init kernel_mutex_init
#pragma redefine_extname pthread_mutex_lock kernel_mutex_lock
#pragma redefine_extname pthread_mutex_unlock kernel_mutex_unlock
#pragma redefine_extname pthread_sigmask kernel_thread_sigmask

#pragma redefine_extname calloc kernel_calloc
#pragma redefine_extname free kernel_free
#pragma redefine_extname malloc kernel_malloc
#pragma redefine_extname realloc kernel_realloc
#pragma redefine_extname strndup kernel_strndup

#define main server_main

/* Another thread may go on before each step that others can see. */
void kernel_atomic(void);

#undef atomic_load
#undef atomic_store
#undef atomic_exchange
#undef atomic_fetch_add
#undef atomic_fetch_sub
#undef atomic_compare_exchange_weak

#define atomic_load(at)                                                        \
	(kernel_atomic(), atomic_load_explicit(at, memory_order_seq_cst))
#define atomic_store(at, value)                                                \
	(kernel_atomic(),                                                      \
		atomic_store_explicit(at, value, memory_order_seq_cst))
#define atomic_exchange(at, value)                                             \
	(kernel_atomic(),                                                      \
		atomic_exchange_explicit(at, value, memory_order_seq_cst))
#define atomic_fetch_add(at, value)                                            \
	(kernel_atomic(),                                                      \
		atomic_fetch_add_explicit(at, value, memory_order_seq_cst))
#define atomic_fetch_sub(at, value)                                            \
	(kernel_atomic(),                                                      \
		atomic_fetch_sub_explicit(at, value, memory_order_seq_cst))
#define atomic_compare_exchange_weak(at, old, value)                           \
	(kernel_atomic(),                                                      \
		atomic_compare_exchange_strong_explicit(at, old, value,        \
			memory_order_seq_cst, memory_order_seq_cst))

#endif
