#!/bin/bash
# Builds every fuzz target for OSS-Fuzz, in the top of the tree, into $OUT: the
# program, its seed corpus, its dictionary and its options. Uses $CC, $CXX,
# $CFLAGS, $CXXFLAGS, $LIB_FUZZING_ENGINE and $WORK.
# https://google.github.io/oss-fuzz/getting-started/new-project-guide

set -eu

# A target is run where only $OUT is: nothing else may be loaded.
openssl=$(pkg-config --static --libs libssl)
openssl=${openssl//-lssl/-l:libssl.a}
openssl=${openssl//-lcrypto/-l:libcrypto.a}

read -r -a names <<<"$(make -s fuzz-names)"
make -j"$(nproc)" openssl="$openssl" "${names[@]/#/build/oss-fuzz/}"
for name in "${names[@]}"; do
	cp "build/oss-fuzz/$name" "$OUT/"
	seeds=$WORK/seeds/$name
	rm -rf "$seeds" "$OUT/${name}_seed_corpus.zip"
	mkdir -p "$seeds"
	# A corpus is a directory of files; those of the past findings may have
	# the same names.
	cp "fuzz/corpus/$name"/* "$seeds/"
	for file in "fuzz/regress/$name"/*; do
		[ ! -f "$file" ] || cp "$file" "$seeds/regress-${file##*/}"
	done
	(cd "$seeds" && find . -type f | sort |
		zip -q -X -@ "$OUT/${name}_seed_corpus.zip")
	[ ! -f "fuzz/dict/$name.dict" ] || cp "fuzz/dict/$name.dict" "$OUT/"
	# As ci/fuzz has it: an input that takes longer, or more, is a finding.
	printf '[libfuzzer]\ntimeout = 10\nrss_limit_mb = 2048\n' \
		>"$OUT/$name.options"
done
