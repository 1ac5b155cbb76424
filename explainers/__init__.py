"""The tutor: what it knows, how it finds it, how it phrases it, and how it checks itself."""

import os

# Threads of torch and llama.cpp that wait must sleep, not spin: beside any other busy program on two
# cores, spinning ones were seen to drag the language model from 40 to 3 tokens a second. OpenMP
# reads this once, when the first library that uses it is loaded, so it is said here, before any is.
os.environ.setdefault("GOMP_SPINCOUNT", "0")
