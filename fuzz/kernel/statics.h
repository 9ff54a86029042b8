/* What the server keeps outside of its functions, as it is at a start. */
#ifndef LBP_FUZZ_KERNEL_STATICS_H
#define LBP_FUZZ_KERNEL_STATICS_H

void statics_reset(void);

void reset_log(void);
void reset_sink(void);
void reset_strangers(void);

/*
 * The threads of the simulation are one to the C library, and what each of them
 * has for itself is exchanged when they are: errno, and where log lines are
 * copied to.
 */
void *swap_log_copy(void *with);

#endif
