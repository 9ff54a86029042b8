#include "interleave.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "world.h"

#define THREADS_MAX 8
#define STEPS_MAX   1000
#define STACK_BYTES (64 * 1024)
/* More orders than a test can take: the script is too long. */
#define ORDERS_MAX 4000000

struct thread {
	const char *name;
	void (*run)(void *);
	void *arg;
	struct step next;
	bool over;
	bool held;
	ucontext_t context;
};

/* A place where there was a choice, or none, of who goes on. */
struct node {
	unsigned enabled; /* a bit for each thread */
	unsigned asleep;  /* what they do was tried before, to the same end */
	unsigned tried;
	unsigned chosen;
	unsigned switches; /* before this one */
	struct step steps[THREADS_MAX];
};

static struct {
	const struct script *script;
	struct thread threads[THREADS_MAX];
	unsigned len;
	unsigned current;
	ucontext_t scheduler;
	struct node nodes[STEPS_MAX];
	unsigned depth; /* of this run */
	unsigned fixed; /* nodes that are as they were in the last run */
	unsigned long orders;
} all;

static char stacks[THREADS_MAX][STACK_BYTES];

static void print_who(unsigned thread, const char *does)
{
	if (all.threads[thread].name != NULL)
		fprintf(stderr, "  %-10s %s\n", all.threads[thread].name, does);
	else
		fprintf(stderr, "  thread %u   %s\n", thread, does);
}

static void print_trace(void)
{
	unsigned i;

	for (i = 0; i <= all.depth && i < STEPS_MAX; i++) {
		const struct node *node = &all.nodes[i];

		if (node->enabled == 0)
			break;
		print_who(node->chosen, node->steps[node->chosen].what);
	}
	fprintf(stderr, "and those that have not returned:\n");
	for (i = 0; i < all.len; i++) {
		if (!all.threads[i].over)
			print_who(i, all.threads[i].next.what);
	}
}

void interleave_fail(const char *id, const char *what)
{
	fprintf(stderr, "[%s] %s: %s, in this order:\n", id, all.script->name,
		what);
	print_trace();
	exit(1);
}

static void thread_main(void)
{
	struct thread *thread = &all.threads[all.current];

	thread->run(thread->arg);
	thread->over = true;
	swapcontext(&thread->context, &all.scheduler);
}

unsigned interleave_thread(const char *name, void (*run)(void *), void *arg)
{
	unsigned number = all.len++;
	struct thread *thread = &all.threads[number];

	if (number >= THREADS_MAX)
		abort();
	thread->name = name;
	thread->run = run;
	thread->arg = arg;
	thread->over = thread->held = false;
	thread->next = (struct step){"starts", thread, TOUCH_READ, NULL};
	getcontext(&thread->context);
	thread->context.uc_stack.ss_sp = stacks[number];
	thread->context.uc_stack.ss_size = STACK_BYTES;
	thread->context.uc_link = NULL;
	makecontext(&thread->context, thread_main, 0);
	return number;
}

bool interleave_is_over(unsigned thread)
{
	return all.threads[thread].over;
}

void interleave_step(const struct step *step)
{
	struct thread *thread = &all.threads[all.current];

	thread->next = *step;
	swapcontext(&thread->context, &all.scheduler);
}

void interleave_hold(unsigned thread, bool hold)
{
	all.threads[thread].held = hold;
}

static bool depends(const struct step *a, const struct step *b)
{
	if (a->touch == TOUCH_ALL || b->touch == TOUCH_ALL)
		return true;
	if (a->touch == TOUCH_WAIT && b->touch == TOUCH_WAIT)
		return false;
	if (a->touch == TOUCH_WAIT)
		return b->touch == TOUCH_WRITE &&
		       world_waits_for(a->object, b->object);
	if (b->touch == TOUCH_WAIT)
		return depends(b, a);
	return a->object == b->object &&
	       (a->touch == TOUCH_WRITE || b->touch == TOUCH_WRITE);
}

static bool is_enabled(const struct thread *thread)
{
	if (thread->over || thread->held)
		return false;
	return thread->next.can == NULL ||
	       thread->next.can(thread->next.object);
}

/* What was tried at the node before need not be tried again after its choice,
 * as long as nothing happens that it depends on. */
static unsigned asleep_after(const struct node *node)
{
	unsigned asleep = 0;
	unsigned i;

	if (all.script->switches > 0)
		return 0;
	for (i = 0; i < all.len; i++) {
		if (((node->asleep | node->tried) >> i & 1) != 0 &&
			i != node->chosen &&
			!depends(&node->steps[i], &node->steps[node->chosen]))
			asleep |= 1U << i;
	}
	return asleep;
}

/* Would choosing this thread make one that can go on wait? */
static bool is_switch(const struct node *node, unsigned thread)
{
	unsigned last = node == all.nodes ? thread : node[-1].chosen;

	return thread != last && (node->enabled >> last & 1) != 0;
}

static void open_node(struct node *node)
{
	unsigned i;

	*node = (struct node){0};
	for (i = 0; i < all.len; i++) {
		node->steps[i] = all.threads[i].next;
		if (is_enabled(&all.threads[i]))
			node->enabled |= 1U << i;
	}
	if (all.depth == 0)
		return;
	node->asleep = asleep_after(node - 1);
	node->switches =
		node[-1].switches + is_switch(node - 1, node[-1].chosen);
}

/* Chooses who is next and was not yet; false: nobody is left. */
static bool choose(struct node *node)
{
	unsigned last = node == all.nodes ? 0 : node[-1].chosen;
	unsigned left = node->enabled & ~node->asleep & ~node->tried;
	unsigned i;

	/* Who ran last goes on first. */
	for (i = 0; i < all.len; i++) {
		unsigned thread = (last + i) % all.len;

		if ((left >> thread & 1) == 0)
			continue;
		if (all.script->switches > 0 && is_switch(node, thread) &&
			node->switches >= all.script->switches)
			continue;
		node->chosen = thread;
		return true;
	}
	return false;
}

static bool is_all_over(void)
{
	bool over = true;
	unsigned i;

	for (i = 0; i < all.len; i++)
		over = over && all.threads[i].over;
	return over;
}

/* One run: as the last one up to the node that changed, then anew. */
static void run_once(void)
{
	struct node *node;

	all.len = 0;
	all.script->start();
	for (all.depth = 0;; all.depth++) {
		node = &all.nodes[all.depth];
		if (all.depth == STEPS_MAX)
			interleave_fail("SRV-50", "it does not end");
		if (all.depth >= all.fixed) {
			open_node(node);
			if (node->enabled == 0)
				break;
			if (!choose(node))
				return;
		}
		all.current = node->chosen;
		swapcontext(&all.scheduler, &all.threads[node->chosen].context);
	}
	all.orders++;
	all.script->judge(is_all_over());
}

/* Changes the last choice that can be another one; false: all were made. */
static bool next_order(void)
{
	while (all.depth > 0) {
		struct node *node = &all.nodes[--all.depth];

		node->tried |= 1U << node->chosen;
		if (choose(node)) {
			all.fixed = all.depth + 1;
			return true;
		}
	}
	return false;
}

void interleave_run(const struct script *script)
{
	all.script = script;
	all.fixed = 0;
	all.orders = 0;
	do {
		run_once();
		if (all.orders > ORDERS_MAX)
			interleave_fail("SRV-50", "there are too many orders");
	} while (next_order());
	printf("interleave: %-36s %8lu orders%s\n", script->name, all.orders,
		script->switches > 0 ? ", with few switches" : "");
}
