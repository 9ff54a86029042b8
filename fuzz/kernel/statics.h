/* What the server keeps outside of its functions, as it is at a start. */
#ifndef LBP_FUZZ_KERNEL_STATICS_H
#define LBP_FUZZ_KERNEL_STATICS_H

void statics_reset(void);

void reset_log(void);
void reset_sink(void);
void reset_strangers(void);

#endif
