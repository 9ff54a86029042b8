#include <inttypes.h>
#include <stdio.h>

#include "sim.h"

static const struct {
	const char *text;
	bool is_fault;
} note_kinds[] = {
#define SIM_NOTE_ROW(code, text, fault) [code] = {text, fault},
	SIM_NOTE_MAP(SIM_NOTE_ROW)
#undef SIM_NOTE_ROW
};

void sim_note(struct sim *sim, const struct sim_conn *conn,
	enum sim_note_kind kind, uint32_t value)
{
	struct sim_note *note = &sim->notes[sim->note_len++ % SIM_NOTES];

	note->now_ns = sim->now_ns;
	note->conn = conn == NULL ? 0 : conn->number;
	note->value = value;
	note->kind = kind;
	sim->stats.notes[kind]++;
	if (sim->verbose)
		sim_print_note(note);
}

void sim_print_note(const struct sim_note *note)
{
	printf("%12" PRIu64 "  ", note->now_ns);
	if (note->conn > 0)
		printf("#%-5" PRIu32 "%s", note->conn,
			note_kinds[note->kind].text);
	else
		printf("      %s", note_kinds[note->kind].text);
	if (note->kind == SIM_REPORTED)
		printf(": %s", lbp_reason_text((enum lbp_reason)note->value));
	else if (note->value != LBP_NONE)
		printf(" %" PRIu32, note->value);
	putchar('\n');
}

void sim_print_stats(const struct sim_stats *stats, double seconds)
{
	uint64_t faults = 0;

	for (int i = 0; i < SIM_NOTE_KINDS; i++) {
		if (!note_kinds[i].is_fault)
			continue;
		faults += stats->notes[i];
		printf("fault %-40s %12" PRIu64 "\n", note_kinds[i].text,
			stats->notes[i]);
	}
	for (int i = LBP_REASON_DONE; i < LBP_REASONS; i++)
		printf("end   %-40s %12" PRIu64 "\n",
			lbp_reason_text((enum lbp_reason)i), stats->reasons[i]);
	printf("%" PRIu64 " runs, %" PRIu64 " steps, %" PRIu64
	       " session events, %" PRIu64 " faults, %" PRIu64
	       " bytes relayed\n",
		stats->runs, stats->steps, stats->events, faults, stats->bytes);
	printf("%.1f s: %.2f million steps/s, %.2f million faults/s\n", seconds,
		(double)stats->steps / seconds / 1e6,
		(double)faults / seconds / 1e6);
}
