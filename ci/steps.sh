#!/bin/sh
# What ci/check and ci/verify have in common: named steps, a line for each,
# its whole output in build/$run. To be sourced, with $run set. Stops at the
# first step that fails, unless KEEP_GOING is set.
#
# CHECK_STEPS="lint unit"  runs these steps alone
# CHECK_SHARD=1/4          runs the first of four parts, which together have
#                          each step once
#
# build/$run then has summary.json and junit.xml, which ci/results writes.

# shellcheck disable=SC2154 # run is set by the script that has this in it
logs=build/$run
# This is a run of its own, not a part of the make that started it.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKE_TERMOUT MAKE_TERMERR

mkdir -p "$logs"
rm -f "$logs"/*.log "$logs"/*.xml "$logs/summary.json"
: >"$logs/steps.tsv"
began=$(date +%s)
steps=0
offered=
count=0
failed=
shard=${CHECK_SHARD:-1/1}
part=${shard%/*}
parts=${shard#*/}
case $part$parts in
*[!0-9]* | '') parts=0 ;;
esac
if [ "$parts" -eq 0 ] || [ "$part" -eq 0 ] || [ "$part" -gt "$parts" ]; then
	echo "$run: CHECK_SHARD is \"$shard\", not as 1/4, its part from 1" >&2
	exit 2
fi

finish() {
	unknown=
	took=$(($(date +%s) - began))
	ci/results "$run" || failed="$failed results"
	for name in ${CHECK_STEPS:-}; do
		case " $offered " in
		*" $name "*) ;;
		*) unknown="$unknown $name" ;;
		esac
	done
	if [ -z "$failed" ] && [ -n "$unknown" ]; then
		echo "$run: CHECK_STEPS has$unknown; there are:$offered" >&2
		exit 2
	fi
	if [ -n "$failed" ]; then
		echo "$run: FAILED:$failed ($steps steps, ${took} s)"
		exit 1
	fi
	echo "$run: all $steps steps passed in ${took} s"
	exit 0
}

# is_wanted NAME: whether this run has the step
is_wanted() {
	offered="$offered $1"
	count=$((count + 1))
	[ $((count % parts)) -eq $((part % parts)) ] || return
	[ -z "${CHECK_STEPS:-}" ] && return
	case " $CHECK_STEPS " in
	*" $1 "*) ;;
	*) return 1 ;;
	esac
}

# Sets cpu to the processor time of all children so far, in seconds; in a
# subshell, times knows of none.
read_cpu() {
	times >"$logs/times"
	cpu=$(awk 'NR == 2 {
		gsub(/[ms]/, " ")
		printf "%d", $1 * 60 + $2 + $3 * 60 + $4
	}' "$logs/times")
	rm "$logs/times"
}

# step NAME SHOWN COMMAND...: of the output of a step that passed, the lines
# that match SHOWN are shown
step() {
	name=$1
	shown=$2
	shift 2
	is_wanted "$name" || return 0
	steps=$((steps + 1))
	log=$logs/$name.log
	start=$(date +%s)
	read_cpu
	cpu_start=$cpu
	if "$@" >"$log" 2>&1 </dev/null; then
		verdict=ok
	else
		verdict=FAILED
	fi
	took=$(($(date +%s) - start))
	read_cpu
	cpu_took=$((cpu - cpu_start))
	printf '%s: %-12s %-6s %4d s, %d s of processor time\n' \
		"$run" "$name" $verdict $took $cpu_took
	printf '%s\t%s\t%d\t%d\n' "$name" $verdict $took $cpu_took \
		>>"$logs/steps.tsv"
	if [ $verdict = ok ]; then
		grep -E "$shown" "$log"
		return
	fi
	tail -n 100 "$log"
	echo "$run: $name failed; all of its output is in $log"
	failed="$failed $name"
	[ -n "${KEEP_GOING:-}" ] || finish
}

# shellcheck disable=SC2034 # the pattern of no line at all
nothing='^$.'
