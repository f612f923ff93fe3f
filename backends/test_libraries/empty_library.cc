// SPDX-License-Identifier: MIT
//
// A shared object with none of the functions that library:PATH looks for.
extern "C" int something_else() { return 0; }
