/* Memory, without which the program ends and says so. [CTL-24]. */
#ifndef MEMORY_H
#define MEMORY_H

/* Has jansson end the program, too, so that nothing of it fails for that. */
void memory_init(void);

/* Returns what was allocated; if that is NULL, ends the program. */
void *need(void *ptr);

_Noreturn void out_of_memory(void);

#endif
