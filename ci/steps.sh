#!/bin/sh
# What ci/check and ci/verify have in common: named steps, a line for each,
# its whole output in build/$run. To be sourced, with $run set. Stops at the
# first step that fails, unless KEEP_GOING is set.

# shellcheck disable=SC2154 # run is set by the script that has this in it
logs=build/$run
# This is a run of its own, not a part of the make that started it.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKE_TERMOUT MAKE_TERMERR

mkdir -p "$logs"
rm -f "$logs"/*.log
began=$(date +%s)
steps=0
failed=

finish() {
	took=$(($(date +%s) - began))
	if [ -n "$failed" ]; then
		echo "$run: FAILED:$failed ($steps steps, ${took} s)"
		exit 1
	fi
	echo "$run: all $steps steps passed in ${took} s"
	exit 0
}

# step NAME SHOWN COMMAND...: of the output of a step that passed, the lines
# that match SHOWN are shown
step() {
	name=$1
	shown=$2
	shift 2
	steps=$((steps + 1))
	log=$logs/$name.log
	start=$(date +%s)
	if "$@" >"$log" 2>&1 </dev/null; then
		verdict=ok
	else
		verdict=FAILED
	fi
	printf '%s: %-10s %-6s %4d s\n' "$run" "$name" $verdict \
		$(($(date +%s) - start))
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
