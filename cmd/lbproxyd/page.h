/* The page of the admin port, page.html as it stands in the tree. [ADM-30]. */
#ifndef PAGE_H
#define PAGE_H

#include <stddef.h>

extern const char page_begin[];
extern const char page_end[];

/*
 * What the browser may do with it: run and show what stands in it and nothing
 * else, and ask this server. itest/test_page.py says what has to be here.
 */
extern const char page_policy[];

#endif
