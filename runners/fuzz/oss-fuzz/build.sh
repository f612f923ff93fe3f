#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Builds the fuzz targets as OSS-Fuzz and ClusterFuzzLite do: with $CC, $CXX, $CFLAGS, $CXXFLAGS and
# $LIB_FUZZING_ENGINE, from $SRC/mapspec, in $WORK, into $OUT: targets, seed corpora, dictionaries, options,
# and under lib/ the shared libraries that a machine may lack.

set -euo pipefail

# The packages' C++ libraries are built for libstdc++.
export CXXFLAGS=${CXXFLAGS//-stdlib=libc++/}
# Types that no header knows are passed on purpose.
export CFLAGS="$CFLAGS -fno-sanitize=enum" CXXFLAGS="$CXXFLAGS -fno-sanitize=enum"
# Programs that the build runs: leaks are not its business, and ptrace(2) may be refused.
export ASAN_OPTIONS=detect_leaks=0

cmake -S "$SRC/mapspec" -B "$WORK/fuzz" -G Ninja \
  -DCMAKE_BUILD_TYPE= -DCMAKE_UNITY_BUILD=ON -DBUILD_TESTING=OFF -DMAPSPEC_WARNINGS_ARE_ERRORS=OFF \
  -DMAPSPEC_WITH_DPDK=OFF -DMAPSPEC_WITH_UBPF=OFF \
  -DMAPSPEC_FUZZ_ENGINE="$LIB_FUZZING_ENGINE" \
  -DCMAKE_BUILD_RPATH='$ORIGIN/lib' -DCMAKE_EXE_LINKER_FLAGS=-Wl,--disable-new-dtags
cmake --build "$WORK/fuzz" --target mapspec_fuzz

corpus=$WORK/fuzz/runners/fuzz/corpus
mkdir -p "$OUT/lib"
for target in agent deviations maps script specs trace; do
  target=${target}_fuzzer
  cp "$WORK/fuzz/bin/$target" "$OUT/"
  cp "$corpus/$target.dict" "$OUT/"
  printf '[libfuzzer]\nmax_len = 65536\n' >"$OUT/$target.options"
  rm -f "$OUT/${target}_seed_corpus.zip"
  (cd "$corpus/$target" && find . -type f | sort | zip -q "$OUT/${target}_seed_corpus.zip" -@)
  # All but the C library itself, and those that the targets before brought.
  ldd "$OUT/$target" | awk -v out="$OUT/" '$3 ~ "^/" && index($3, out) != 1 { print $3 }' |
    { grep -Ev '/(ld-linux|libc|libm|libdl|librt|libpthread|libresolv)[-.]' || true; } |
    xargs -r cp -L -t "$OUT/lib"
done
