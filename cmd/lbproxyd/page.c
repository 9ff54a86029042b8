#include "page.h"

/* From the top of the tree, where make runs. */
__asm__(".section .rodata\n"
	".global page_begin\n"
	".global page_end\n"
	"page_begin:\n"
	".incbin \"cmd/lbproxyd/page.html\"\n"
	"page_end:\n"
	".byte 0\n"
	".previous\n");

const char page_policy[] =
	"default-src 'none'; "
	"script-src 'sha256-fsjYTO9nsY1f/VtGWUrPqZ/06Ds2iKjyolE7K4bgsn4='; "
	"style-src 'sha256-z4elyWrgC4fIM9K0f2265RqUthyjOTTOVBufRRO71ug='; "
	"connect-src 'self'; base-uri 'none'; form-action 'none'; "
	"frame-ancestors 'none'; require-trusted-types-for 'script'";
